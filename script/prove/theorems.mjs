// What is proven, and the bugs that must not be. See "Proofs" in docs/testing.md.

const FOLDER = 'test/contracts/proof';

/** Harness contracts, each in a file of its name; every `assert` in it must be proven. `bmc` takes each function from any state; `chc` any sequence. */
export const THEOREMS = [
  {
    contract: 'LedgerProof',
    engine: 'bmc',
    says: 'credit, creditPaid and debit change one account by exactly their amounts, no other',
  },
  {
    contract: 'StakesProof',
    engine: 'bmc',
    says: 'what is free is stake less locked less queued, and never underflows',
  },
  { contract: 'OneNodeProof', engine: 'bmc', says: 'locked + queued <= stake, whatever is called' },
  {
    contract: 'BooksProof',
    engine: 'chc',
    says: 'balances + fees + escrow = came in - went out; fee + paid = gross; no claim is paid twice',
  },
].map((theorem) => ({ ...theorem, file: `${FOLDER}/${theorem.contract}.sol` }));

const WORDS = `(set-logic QF_BV)
(declare-const w (_ BitVec 256)) (declare-const a (_ BitVec 256)) (declare-const f (_ BitVec 256))
(define-fun low ((x (_ BitVec 256))) (_ BitVec 128) ((_ extract 127 0) x))
(define-fun high ((x (_ BitVec 256))) (_ BitVec 128) ((_ extract 255 128) x))
(define-fun wide ((x (_ BitVec 128))) (_ BitVec 256) ((_ zero_extend 128) x))
(define-fun fits ((x (_ BitVec 256))) Bool (bvule x (wide (bvnot (_ bv0 128)))))
`;

/** Facts about 256 bits that join the words of LedgerProof to the sums of BooksProof: what a change of the word is to its halves. */
export const LEMMAS = [
  {
    says: 'adding an amount that fits the balance leaves the fees alone',
    given: '(and (fits a) (fits (bvadd (wide (low w)) a)))',
    then: '(and (= (low (bvadd w a)) (bvadd (low w) (low a))) (= (high (bvadd w a)) (high w)))',
  },
  {
    says: 'taking an amount that the balance covers leaves the fees alone',
    given: '(bvuge (wide (low w)) a)',
    then: '(and (= (low (bvsub w a)) (bvsub (low w) (low a))) (= (high (bvsub w a)) (high w)))',
  },
  {
    says: 'adding fee << 128 | paid adds paid to the balance and fee to the fees',
    given: '(and (fits a) (fits f) (fits (bvadd (wide (low w)) a)) (fits (bvadd (wide (high w)) f)))',
    then: `(let ((v (bvadd w (bvor (bvshl f (_ bv128 256)) a))))
      (and (= (low v) (bvadd (low w) (low a))) (= (high v) (bvadd (high w) (low f)))))`,
  },
].map(({ says, given, then }) => ({ says, query: `${WORDS}(assert ${given})(assert (not ${then}))(check-sat)` }));

/** Bugs that are put into the sources before the solver sees them. A proof that still succeeds proves nothing. */
export const PLANTED = [
  {
    contract: 'LedgerProof',
    file: 'src-contracts/core/LedgerCore.sol',
    says: 'an account may spend one unit more than it has',
    from: 'require(balance >= amount,',
    to: 'require(balance + 1 >= amount,',
  },
  {
    contract: 'LedgerProof',
    file: 'src-contracts/core/LedgerCore.sol',
    says: 'a credit forgets what was there',
    from: '_accounts[currency][account] += amount;',
    to: '_accounts[currency][account] = amount;',
  },
  {
    contract: 'OneNodeProof',
    file: `${FOLDER}/OneNodeProof.sol`,
    says: 'a bond may lock stake that is queued to leave',
    from: 'uint256 free = staying - locked;',
    to: 'uint256 free = uint256(stake) - locked;',
  },
  {
    contract: 'BooksProof',
    file: `${FOLDER}/BooksProof.sol`,
    says: 'a paid lease can be paid again',
    from: 'living = false;\n        ++timesPaid;',
    to: '++timesPaid;',
  },
];
