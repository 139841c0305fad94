// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Parameters} from "src-contracts/Parameters.sol";
import {Assurance} from "src-contracts/core/Assurance.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Bench} from "src-contracts/types/Bench.sol";
import {Hash} from "src-contracts/types/Hash.sol";
import {JobState, JobWord} from "src-contracts/types/Job.sol";
import {Lease, LeaseLib, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {PanelLib, PanelWord} from "src-contracts/types/Panel.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice Storage, identity, the draw and the views of jobs and leases.
/// @dev WORDS: a job is one storage word, a lease is one storage word; a lease that covers its whole job replaces the job's
/// word, which makes a single-shard task one word for life. Terms come in calldata and are bound by the id.
/// RANDOMNESS: the hash of the block after the post. A proposer can bias it by withholding a block; a draw is worth the
/// first claim on one lease, less than a block. When the hash is out of reach (8,191 blocks), the draw is open to all.
abstract contract JobsCore is Assurance, JobFacts, EIP712 {
    bytes32 internal constant ACCEPTANCE_TYPEHASH =
        keccak256("Acceptance(bytes32 job,uint32 first,uint32 node,bytes32 root,uint64 units,bytes32 manifest)");

    /// @dev The draw starts with this many nodes expected for each seat.
    uint256 private constant DRAW_START = 2;

    /* STORAGE */

    /// @dev Key: the job's id, or `_leaseKey` for leases that share their job.
    mapping(bytes32 key => uint256) internal _words;

    constructor() EIP712("DPU Market", "1") {}

    /* INTERNAL: identity */

    /// @dev A job's id: the EIP-712 digest of its terms.
    function _jobId(Terms calldata terms) internal view returns (bytes32) {
        return _hashTypedDataV4(terms.structHash());
    }

    /// @dev What a node commits to.
    function _commitment(bytes32 id, uint32 first, uint8 seat, uint32 nodeId, Result calldata result, bytes32 salt)
        internal
        pure
        returns (bytes32 digest)
    {
        (bytes32 root, uint64 units, bytes32 manifest) = (result.root, result.units, result.manifest);
        // The hash of the eight words as `abi.encode` puts them, in memory that stays free; see `Hash`.
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, id)
            mstore(add(at, 0x20), first)
            mstore(add(at, 0x40), seat)
            mstore(add(at, 0x60), nodeId)
            mstore(add(at, 0x80), root)
            mstore(add(at, 0xa0), units)
            mstore(add(at, 0xc0), manifest)
            mstore(add(at, 0xe0), salt)
            digest := keccak256(at, 0x100)
        }
    }

    /* INTERNAL: words */

    function _leaseKey(bytes32 id, uint32 first) internal pure returns (bytes32) {
        return Hash.words(uint256(id), first);
    }

    function _jobWord(bytes32 id) internal view returns (JobWord) {
        return JobWord.wrap(_words[id]);
    }

    function _setJob(bytes32 id, JobWord word) internal {
        _words[id] = JobWord.unwrap(word);
    }

    /// @dev Where the word of a node's seat is. A node has at most one on a range.
    function _seatKey(bytes32 range, uint32 nodeId) internal pure returns (bytes32) {
        return Hash.words(uint256(range), uint256(bytes32("seat")), nodeId);
    }

    /// @dev Where the bench of a range or a jury is.
    function _benchKey(bytes32 range) internal pure returns (bytes32) {
        return Hash.words(uint256(range), uint256(bytes32("bench")));
    }

    function _loadBench(bytes32 range) internal view returns (Bench) {
        return Bench.wrap(_words[_benchKey(range)]);
    }

    function _setBench(bytes32 range, Bench bench) internal {
        _words[_benchKey(range)] = Bench.unwrap(bench);
    }

    /// @dev Where the bonus of a panel's lapsed seats waits, in gwei: the seat of no node.
    function _bonusKey(bytes32 range) internal pure returns (bytes32) {
        return _seatKey(range, 0);
    }

    /// @dev The slot of the range that `lease_` is about, by the flag that it carries.
    function _rangeOf(bytes32 id, Lease calldata lease_) internal pure returns (bytes32) {
        bool solo = lease_.first() == 0 && lease_.claimed.flags() & LeaseWordLib.SOLO != 0;
        return solo ? id : _leaseKey(id, lease_.first());
    }

    /// @dev Where the word of `lease_` is by the flags that it carries, and the word; zero when the job's slot holds no lease. A
    /// holder that lies about the flags finds a word that does not match.
    function _find(bytes32 id, Lease calldata lease_) internal view returns (bytes32 key, LeaseWord word) {
        key = _rangeOf(id, lease_);
        if (lease_.claimed.flags() & LeaseWordLib.SEAT != 0) key = _seatKey(key, lease_.claimed.node());
        word = _loadLease(key);
        if (key == id && word.flags() & LeaseWordLib.SOLO == 0) word = LeaseWord.wrap(0);
    }

    /// @dev The same, also where the lease has become one of the two seats of an audit.
    function _findAudited(bytes32 id, Lease calldata lease_) internal view returns (bytes32 key, LeaseWord word) {
        (key, word) = _find(id, lease_);
        if (word.phase() != Phase.Seated) return (key, word);
        key = _seatKey(key, lease_.claimed.node());
        word = _loadLease(key);
    }

    /// @dev A bonus that waits for who joins a panel next, in gwei; it is taken.
    function _takeBonus(bytes32 range, PanelWord p) internal returns (uint64 bonus, PanelWord rest) {
        if (!p.has(PanelLib.BONUS)) return (0, p);
        bytes32 key = _bonusKey(range);
        bonus = uint64(LeaseWord.unwrap(_loadLease(key))); // written as 64 bits
        _setLease(key, LeaseWord.wrap(0));
        return (bonus, p.unmark(PanelLib.BONUS));
    }

    /// @dev The slot of the range that begins at `first`, which is the job's own when one lease covers it; and its word.
    function _rangeAt(bytes32 id, uint32 first) internal view returns (bytes32 range, LeaseWord word) {
        JobWord j = _jobWord(id);
        if (first == 0 && j.isLease()) return (id, LeaseWord.wrap(JobWord.unwrap(j)));
        range = _leaseKey(id, first);
        word = _loadLease(range);
    }

    /// @dev The panel on the range that begins at `first`, and the range's slot.
    function _requirePanel(bytes32 id, uint32 first) internal view returns (bytes32 range, PanelWord p) {
        LeaseWord word;
        (range, word) = _rangeAt(id, first);
        _requirePhase(id, first, word, Phase.Seated);
        p = PanelWord.wrap(LeaseWord.unwrap(word));
    }

    function _setPanel(bytes32 range, PanelWord p) internal {
        _words[range] = PanelWord.unwrap(p);
    }

    function _setLease(bytes32 key, LeaseWord word) internal {
        _words[key] = LeaseWord.unwrap(word);
    }

    function _loadLease(bytes32 key) internal view returns (LeaseWord) {
        return LeaseWord.wrap(_words[key]);
    }

    function _requireJob(bytes32 id, JobState needed) internal view returns (JobWord word) {
        word = _jobWord(id);
        require(word.state() == needed, JobInState(id, word.state(), needed));
    }

    /// @dev Checks that `lease_` (and `result` where revealed) is what `word` stands for.
    function _requireMatch(bytes32 id, Lease calldata lease_, Result calldata result, LeaseWord word) internal pure {
        Phase phase = word.phase();
        bool same;
        if (phase == Phase.Claimed) same = LeaseWord.unwrap(word) == LeaseWord.unwrap(lease_.claimed);
        else if (phase == Phase.Committed) same = word.body() == lease_.committedBody();
        else if (phase == Phase.Revealed) same = word.body() == LeaseLib.revealedBody(lease_.claimed, result);
        if (!same) revert LeaseMismatch(id, lease_.first());
    }

    function _requirePhase(bytes32 id, uint32 first, LeaseWord word, Phase needed) internal pure {
        if (word.phase() != needed) revert LeaseInPhase(id, first, word.phase(), needed);
    }

    function _isLiving(Phase phase) internal pure returns (bool) {
        return phase == Phase.Claimed || phase == Phase.Committed || phase == Phase.Revealed;
    }

    /* INTERNAL: signatures */

    function _requireAcceptance(
        bytes32 id,
        Terms calldata terms,
        uint32 first,
        uint32 nodeId,
        Result calldata result,
        bytes calldata signature
    ) internal view {
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(ACCEPTANCE_TYPEHASH, id, first, nodeId, result.root, result.units, result.manifest))
        );
        _requireSignature(id, terms.requester(), digest, signature);
    }

    function _requireSignature(bytes32 id, address requester, bytes32 digest, bytes calldata signature) internal view {
        // A key's signature first: it spares the look at the account's code. Then contracts, by ERC-1271.
        (address signer, ECDSA.RecoverError err,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (err == ECDSA.RecoverError.NoError && signer == requester) return;
        if (!SignatureChecker.isValidERC1271SignatureNowCalldata(requester, digest, signature)) {
            revert SignatureInvalid(id, requester);
        }
    }

    /* INTERNAL: opening and draw */

    /// @dev When claiming opens and the ramp begins: the terms' start, else the post; never before the earlier job is complete.
    /// `ready` is false while the earlier job is not complete.
    function _opening(Terms calldata terms, uint256 postedAt) internal view returns (bool ready, uint256 from) {
        from = terms.start() != 0 ? terms.start() : postedAt;
        if (terms.afterJob == 0) return (true, from);
        JobWord earlier = _jobWord(terms.afterJob);
        if (earlier.state() != JobState.Complete) return (false, 0);
        if (earlier.at() > from) from = earlier.at();
        return (true, from);
    }

    function _eligible(Terms calldata terms, uint32 nodeId, Node storage n) internal view returns (bool) {
        return (terms.node() == 0 || terms.node() == nodeId) && _able(terms, n);
    }

    /// @dev Whether a node offers what the job needs.
    function _able(Terms calldata terms, Node storage n) internal view returns (bool) {
        return n.runtimes & (uint32(1) << terms.runtime()) != 0
            && (terms.tier() == 0 || (n.tier >= terms.tier() && block.timestamp <= n.tierUntil));
    }

    /// @dev First second at which `nodeId` may take the lease at `first`: at once where it is the node that the terms name.
    function _drawnAt(
        Terms calldata terms,
        bytes32 id,
        uint32 first,
        uint32 nodeId,
        Node storage n,
        uint256 postBlock,
        uint256 postedAt,
        uint256 from
    ) internal view returns (uint256) {
        if (terms.node() != 0) return from;
        return _sortition(terms, terms.seats(), id, first, nodeId, n, postBlock, postedAt, from);
    }

    /// @dev First second at which `nodeId` may take one of `seats`. Threshold sortition: a node is in when its roll, uniform on [0, 2^64), is
    /// below 2^64 · seats · stake · record / total · (2 + elapsed / drawStep). Linear in stake, so splitting gains nothing. The seed is the
    /// block after `seedBlock`; nodes that are not older than `seededAt` wait until everyone may come. Returns the maximum while
    /// the seed's block is not mined yet.
    function _sortition(
        Terms calldata terms,
        uint256 seats,
        bytes32 id,
        uint32 first,
        uint32 nodeId,
        Node storage n,
        uint256 seedBlock,
        uint256 seededAt,
        uint256 from
    ) internal view returns (uint256) {
        // Times, blocks and steps are far from 256 bits.
        unchecked {
            if (block.number < seedBlock + 2) return type(uint40).max;
            Rules rules = terms.rules;
            uint256 openToAll = from + rules.drawOpenAfter();
            // Younger than the seed: the node's id could have been chosen to win.
            if (n.since >= seededAt) return openToAll;
            bytes32 seed = Blockhash.blockHash(seedBlock + 1);
            if (seed == 0) return from;

            uint256 roll = uint64(uint256(Hash.words(uint256(seed), uint256(id), first, nodeId)));
            uint256 total = _runtimeStake[terms.runtime()];
            if (total == 0) return openToAll;
            // 2^64 × the node's part of the draw, for every seat; it is in once share · factor > roll. Fits: 96 + 14 + 8 + 64 bits.
            uint256 share = (uint256(n.stake) * n.record * seats << 64) / (total * Parameters.BPS);
            if (share == 0) return openToAll;
            uint256 factor = roll / share + 1; // at most 2^64
            uint256 at = factor <= DRAW_START ? from : from + (factor - DRAW_START) * rules.drawStep();
            return at < openToAll ? at : openToAll;
        }
    }

    /* INTERNAL: beginning and end */

    /// @dev Everything a post must satisfy; moves the worst case into escrow, which fits 96 bits. The caller writes the job's word. On the hot path an
    /// `if` throws, because `require` works out its error's arguments even when it passes.
    function _open(bytes32 id, Terms calldata terms) internal returns (uint256 escrow) {
        JobState state = _jobWord(id).state();
        if (state != JobState.None) revert JobInState(id, state, JobState.None);
        Rules rules = terms.rules;
        Gate storage gate = _gate;
        (Rules newest, uint256 runtimes) = (gate.rules, gate.runtimes);
        if (Rules.unwrap(rules) != Rules.unwrap(newest)) revert ParamsVersion(rules.version(), newest.version());
        if ((runtimes & ~uint256(1)) & (uint256(1) << terms.runtime()) == 0) {
            revert TermsInvalid(id, "runtime");
        }
        if (terms.shards() == 0 || terms.shards() > Parameters.MAX_SHARDS) revert TermsInvalid(id, "shards");
        if (terms.maxLease() == 0) revert TermsInvalid(id, "maxLease");
        if (terms.minPrice() > terms.maxPrice() || terms.maxPrice() == 0) revert TermsInvalid(id, "maxPrice");
        uint256 seats = terms.seats();
        if (seats != 1 && (!_seatsOffered(seats) || runtimes & 1 == 0 || terms.direct())) {
            revert TermsInvalid(id, "seats");
        }
        escrow = terms.worstCase();
        if (escrow > type(uint96).max) revert TermsInvalid(id, "maxPrice");
        if (terms.worstBond() > type(uint96).max) revert TermsInvalid(id, "bond");
        if (terms.auditBps() > Parameters.BPS || (terms.auditBps() != 0 && (terms.direct() || seats != 1))) {
            revert TermsInvalid(id, "auditBps");
        }
        if (terms.exec() == 0 || terms.exec() > Parameters.MAX_EXEC) revert TermsInvalid(id, "exec");
        if (terms.window() > Parameters.MAX_WINDOW) revert TermsInvalid(id, "window");
        // One node, results that may differ, nobody who may doubt them: whatever it shows would be paid, audited or not.
        if (terms.tolerant() && terms.window() == 0 && seats == 1 && !terms.direct()) {
            revert TermsInvalid(id, "tolerant");
        }
        if (
            terms.expiry() < block.timestamp || terms.expiry() < terms.start()
                || terms.expiry() > block.timestamp + Parameters.MAX_OPEN
        ) revert TermsInvalid(id, "expiry");
        uint32 only = terms.node();
        if (only != 0 && (seats != 1 || _nodes[only].owner == address(0))) revert TermsInvalid(id, "node");
        if (terms.spec == 0) revert TermsInvalid(id, "spec");
        if (terms.currency() == TOKEN && !terms.direct()) {
            // Seats that check each other share half the multiple: deterrence needs bond ≥ price · (1 − p) / p at a chance p to be caught.
            uint256 parts = seats == 1 ? 10 : 20 * seats;
            if (terms.bond() * parts < terms.maxPrice() * rules.bondTenths()) revert TermsInvalid(id, "bond");
        }
        if (terms.afterJob != 0) {
            // A job that can no longer become complete would leave this one waiting until it expires.
            JobState earlier = _jobWord(terms.afterJob).state();
            if (earlier != JobState.Open && earlier != JobState.Leased && earlier != JobState.Complete) {
                revert TermsInvalid(id, "afterJob");
            }
        }

        _debit(terms.currency(), terms.requester(), escrow);

        emit JobPosted(id, terms.requester(), terms);
    }

    /// @dev Frees `bond`, which a claim of this node locked, and pays.
    function _payOut(
        bytes32 id,
        Terms calldata terms,
        uint32 first,
        uint32 nodeId,
        uint256 bond,
        uint256 gross,
        uint256 bonus,
        bool accepted,
        Result calldata result
    ) internal {
        Node storage n = _nodes[nodeId];
        (uint96 locked, uint16 record) = (n.locked, n.record); // one read of their slot
        // forge-lint: disable-next-line(unsafe-typecast)
        locked -= uint96(bond); // what `_lock` added
        address owner = n.owner;
        uint256 fee;
        unchecked {
            fee = gross * terms.rules.feeBps() / Parameters.BPS; // a job's escrow has 96 bits, the rate 16
        }
        // Work that a requester handed to its own choice or its own node, or waved through, proves nothing to others; nor does not working.
        if (!accepted && terms.node() == 0 && owner != terms.requester() && result.root != LeaseLib.SPEC_FAULT) {
            record = _risen(record, bond);
        }
        (n.locked, n.record) = (locked, record); // together: one write of their slot

        _creditPaid(terms.currency(), owner, gross - fee, fee);
        _credit(TOKEN, owner, bonus);

        if (accepted) emit LeaseAccepted(id, nodeId, first, gross - fee, fee, result);
        else emit LeaseSettled(id, nodeId, first, gross - fee, fee, record);
    }

    /// @dev A record after proven work: the mean of a Beta distribution over good and bad work whose past is discounted by 63/64 each time (Jøsang and
    /// Ismail, The Beta Reputation System, 2002), weighted by the bond, which stands for the price whatever the currency.
    function _risen(uint16 record, uint256 bond) private pure returns (uint16) {
        uint256 weight = bond < Parameters.RECORD_FULL_BOND ? bond : Parameters.RECORD_FULL_BOND;
        // A record is never above the maximum, and rises by less than the gap.
        unchecked {
            uint256 gap = Parameters.RECORD_MAX - record;
            // forge-lint: disable-next-line(unsafe-typecast)
            return record + uint16(gap * weight / (64 * uint256(Parameters.RECORD_FULL_BOND)));
        }
    }

    /// @dev What the finding that a job cannot be done earns instead of `gross`: part of it; nothing where nobody could have challenged it.
    function _killFee(Terms calldata terms, uint256 gross) internal pure returns (uint256) {
        return terms.window() == 0 ? 0 : gross * Parameters.KILL_FEE_BPS / Parameters.BPS;
    }

    /// @dev What stays of a paid lease, for credits: the body of its word when it was revealed, where strangers' work was paid after its window.
    function _receiptOf(Terms calldata terms, LeaseWord claimed, Result calldata result)
        internal
        pure
        returns (uint208)
    {
        return terms.direct() || terms.node() != 0 ? 0 : LeaseLib.revealedBody(claimed, result);
    }
}
