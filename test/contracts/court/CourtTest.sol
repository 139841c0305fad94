// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {IMarket} from "src-contracts/interfaces/IMarket.sol";
import {Dispute, Juror, Shard, ShardLib, Testimony, Verdict} from "src-contracts/types/Dispute.sol";
import {LeaseLib, LeaseWord, Phase, Result} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {RulesLib} from "src-contracts/types/Rules.sol";
import {IDpu} from "test/contracts/lib/IDpu.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";
import {UsdToken} from "test/contracts/lib/Tokens.sol";

/// @dev A Market with a holder, a challenger and nodes enough for two juries. One shard costs 2 DPU and is bound by 8, so a juror's fee is 1; the
/// challenge window is half an hour. Helpers only move; tests assert.
abstract contract CourtTest is Test {
    struct Actor {
        uint32 id;
        address owner;
        address operator;
    }

    /// @dev One revealed lease, with what a challenge of it needs.
    struct Work {
        Terms t;
        bytes32 id;
        Actor n;
        Lease l;
        Result r;
        /// What its holder showed of each shard.
        bytes32[] hashes;
        uint64[] units;
    }

    /// @dev One dispute about it.
    struct Suit {
        Work w;
        uint32 index;
        bytes32 key;
        uint8 round;
        Testimony[] said;
    }

    uint256 internal constant T0 = 1_800_000_000;
    uint96 internal constant STAKE = 10_000e18;
    uint256 internal constant FEE = 1e18;
    uint256 internal constant BOND = 8e18;
    uint256 internal constant PRICE = 2e18;
    /// @dev Serving ends this long after a round began, and speaking one reveal window later.
    uint256 internal constant SERVE = 15 minutes;
    uint256 internal constant SPEAK = 25 minutes;
    uint256 internal constant APPEAL = 10 minutes;
    /// @dev By then every juror of these tests is drawn.
    uint256 internal constant DRAWN = 5 minutes;
    uint256 internal constant JURORS = 20;

    IDpu internal dpu;
    UsdToken internal usd;
    IMarket internal market;

    address internal governor = makeAddr("governor");
    address internal treasury = makeAddr("treasury");
    address internal requester = makeAddr("requester");
    address internal challenger = makeAddr("challenger");
    address internal second = makeAddr("second");
    address internal stranger = makeAddr("stranger");
    Actor internal alice;
    Actor internal bob;
    Actor internal carol;
    Actor[] internal jurors;
    address[] private everyone;

    uint64 private _salts;

    function setUp() public virtual {
        vm.warp(T0);
        vm.roll(1_000);
        dpu = IDpu(vm.deployCode("DpuToken.sol:DpuToken", abi.encode(address(this))));
        usd = new UsdToken();
        bytes memory token = abi.encode(address(dpu));
        address extension = vm.deployCode("MarketExtension.sol:MarketExtension", token);
        address panels = vm.deployCode("MarketPanels.sol:MarketPanels", token);
        address exits = vm.deployCode("MarketExits.sol:MarketExits", token);
        address court = vm.deployCode("MarketCourt.sol:MarketCourt", token);
        bytes memory args = abi.encode(address(dpu), extension, panels, exits, court, governor, treasury, _params());
        market = IMarket(vm.deployCode("Market.sol:Market", args));

        vm.startPrank(governor);
        market.allowCurrency(address(usd), true);
        market.allowSeats(true);
        market.setGuardian(governor, uint40(T0 + 300 days));
        vm.stopPrank();

        dpu.approve(address(market), type(uint256).max);
        usd.mint(address(this), 1_000_000e6);
        usd.approve(address(market), type(uint256).max);
        market.deposit(address(usd), requester, 1_000_000e6);
        _fund(requester, 10_000e18);
        _fund(challenger, 1_000e18);
        _fund(second, 1_000e18);
        everyone.push(treasury);

        alice = _node("alice");
        bob = _node("bob");
        carol = _node("carol");
        for (uint256 i; i < JURORS; ++i) {
            jurors.push(_node(string.concat("juror ", vm.toString(i))));
        }
        _pass(1 hours);
    }

    /* DEFAULTS */

    /// @dev The governed starting values, without audits.
    function _params() internal view virtual returns (Params memory) {
        return Params({
            feeBps: 300,
            bondTenths: 40,
            noShowBps: 2_000,
            burnBps: 5_000,
            retryBps: 4_000,
            auditRates: 0,
            revealWindow: 10 minutes,
            auditWindow: 30 minutes,
            openFor: 60 seconds,
            drawStep: 30 seconds,
            drawOpenAfter: 30 minutes
        });
    }

    /// @dev `shards` for alice in one lease.
    function _terms(uint32 shards) internal returns (Terms memory t) {
        t.requester = requester;
        t.currency = address(dpu);
        (t.minPrice, t.maxPrice, t.bond) = (uint96(PRICE), uint96(PRICE), uint96(BOND));
        t.shards = shards;
        t.maxLease = 64;
        t.runtime = 1;
        t.seats = 1;
        t.rules = RulesLib.pack(market.params(1), 1);
        t.node = alice.id;
        t.expiry = uint40(vm.getBlockTimestamp() + 2 hours);
        t.exec = 5 minutes;
        t.window = 30 minutes;
        t.spec = keccak256("spec");
        t.salt = ++_salts;
    }

    /* CLOCK AND PEOPLE */

    function _pass(uint256 seconds_) internal {
        vm.warp(vm.getBlockTimestamp() + seconds_);
        vm.roll(vm.getBlockNumber() + 5);
    }

    function _fund(address account, uint256 amount) internal {
        market.deposit(address(dpu), account, amount);
        everyone.push(account);
    }

    function _node(string memory name) internal returns (Actor memory n) {
        n.owner = makeAddr(string.concat(name, " owner"));
        everyone.push(n.owner);
        return _nodeOf(n.owner, name);
    }

    function _nodeOf(address owner, string memory name) internal returns (Actor memory n) {
        n.owner = owner;
        n.operator = makeAddr(string.concat(name, " operator"));
        dpu.transfer(owner, STAKE);
        vm.startPrank(owner);
        n.id = market.register(n.operator, 2, keccak256(bytes(name)), "http://127.0.0.1/");
        dpu.approve(address(market), type(uint256).max);
        market.stake(n.id, STAKE);
        vm.stopPrank();
    }

    /* WORK */

    /// @dev A revealed lease of all shards of `t`; its root is over leaves of its own.
    function _revealed(Terms memory t) internal returns (Work memory w) {
        return _revealed(t, false);
    }

    function _revealed(Terms memory t, bool fault) internal returns (Work memory w) {
        w = _posted(t);
        vm.prank(w.n.operator);
        market.claim(t.pack(), w.n.id, uint16(t.shards));
        if (fault) w.r = Result(LeaseLib.SPEC_FAULT, 0, keccak256("why"));
        _read(w);
        _show(w);
    }

    /// @dev With `shards` hashed into a tree; shards are a power of two.
    function _posted(Terms memory t) internal returns (Work memory w) {
        vm.prank(requester);
        w.id = market.post(t.pack());
        (w.t, w.n) = (t, alice);
        (w.hashes, w.units) = (new bytes32[](t.shards), new uint64[](t.shards));
        for (uint32 i; i < t.shards; ++i) {
            (w.hashes[i], w.units[i]) = (keccak256(abi.encode("shard", i)), 100 + i);
            w.r.units += w.units[i];
        }
        (w.r.root,) = _tree(w, 0);
        w.r.manifest = keccak256("manifest");
    }

    function _read(Work memory w) internal view {
        w.l = Packing.readable(LeaseWord.wrap(market.leaseWord(w.id, 0)), 0);
    }

    function _show(Work memory w) internal {
        bytes32 salt = keccak256("salt");
        bytes32 commitment = market.commitmentOf(w.id, 0, 0, w.n.id, w.r, salt);
        vm.prank(w.n.operator);
        market.commit(w.id, w.l.pack(), commitment);
        (w.l.commitment, w.l.committedBlock) = (commitment, uint40(vm.getBlockNumber()));
        _pass(1);
        market.reveal(w.t.pack(), w.l.pack(), w.r, salt);
    }

    /// @dev Root of the shards' tree, and the path of shard `index` to it.
    function _tree(Work memory w, uint256 index) internal pure returns (bytes32 root, bytes32[] memory proof) {
        bytes32[] memory level = new bytes32[](w.hashes.length);
        for (uint32 i; i < level.length; ++i) {
            level[i] = ShardLib.leaf(i, w.hashes[i], w.units[i]);
        }
        uint256 depth;
        while (1 << depth < level.length) ++depth;
        proof = new bytes32[](depth);
        for (uint256 d; d < depth; ++d) {
            proof[d] = level[index ^ 1];
            index /= 2;
            bytes32[] memory above = new bytes32[](level.length / 2);
            for (uint256 i; i < above.length; ++i) {
                (bytes32 a, bytes32 b) = (level[2 * i], level[2 * i + 1]);
                above[i] = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
            }
            level = above;
        }
        root = level[0];
    }

    /// @dev What is challenged of `w`.
    function _shard(Work memory w, uint32 index) internal pure returns (Shard memory s) {
        if (w.r.root == LeaseLib.SPEC_FAULT) return Shard(index, 0, 0, new bytes32[](0));
        (, bytes32[] memory proof) = _tree(w, index);
        return Shard(index, w.hashes[index], w.units[index], proof);
    }

    function _settle(Work memory w) internal {
        Lease[] memory leases = new Lease[](1);
        Result[] memory results = new Result[](1);
        (leases[0], results[0]) = (w.l, w.r);
        market.settle(w.t.pack(), Packing.pack(leases), results);
    }

    /* DISPUTES */

    function _suit(Work memory w, uint32 index) internal view returns (Suit memory s) {
        (s.w, s.index, s.round) = (w, index, 1);
        s.key = market.disputeKey(w.id, w.l.pack(), index);
    }

    /// @dev By the balance of `challenger`.
    function _challenged(Work memory w, uint32 index) internal returns (Suit memory s) {
        s = _suit(w, index);
        vm.prank(challenger);
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, index), 0);
    }

    /// @dev The jury of this round, each bound to one of `votes`; `Undecided` stands for one who stays silent.
    function _serve(Suit memory s, Verdict[] memory votes) internal {
        _pass(DRAWN);
        s.said = new Testimony[](votes.length);
        for (uint256 i; i < votes.length; ++i) {
            Actor memory n = _next(s);
            s.said[i] = Testimony(n.id, votes[i], keccak256("own"), 7, keccak256("evidence"), bytes32(i + 1));
            bytes32 commitment = market.testimonyOf(s.key, s.round, s.said[i]);
            vm.prank(n.operator);
            market.serve(s.w.t.pack(), s.w.l.pack(), s.index, n.id, commitment);
            if (votes[i] == Verdict.Undecided) _silence(s, i);
        }
    }

    /// @dev The next node that may serve: who sat before may not, nor may one in 255 that shares a print with it.
    function _next(Suit memory s) internal view returns (Actor memory) {
        for (uint256 i;; ++i) {
            (bool now_,) = market.drawnToJury(s.w.t.pack(), s.w.l.pack(), s.index, jurors[i].id);
            if (now_) return jurors[i];
        }
    }

    function _juror(Suit memory s, uint256 i) internal view returns (Actor memory) {
        return jurors[s.said[i].node - jurors[0].id];
    }

    /// @dev Makes juror `i` give its commitment alone.
    function _silence(Suit memory s, uint256 i) internal view {
        bytes32 commitment = market.testimonyOf(s.key, s.round, s.said[i]);
        s.said[i] = Testimony(s.said[i].node, Verdict.None, 0, 0, 0, commitment);
    }

    function _judge(Suit memory s) internal {
        market.judge(s.w.t.pack(), s.w.l.pack(), s.index, s.said);
    }

    function _enforce(Suit memory s) internal {
        market.enforce(s.w.t.pack(), s.w.l.pack(), s.w.r, s.index);
    }

    /// @dev Serves, and judges as soon as that is possible: where somebody stays silent, the others speak one by one.
    function _tried(Suit memory s, Verdict[] memory votes) internal {
        _serve(s, votes);
        uint256 at = _dispute(s).at;
        if (votes.length != (s.round == 1 ? 5 : 11)) vm.warp(at + SERVE + 1);
        bool silent;
        for (uint256 i; i < votes.length; ++i) {
            if (votes[i] == Verdict.Undecided) silent = true;
        }
        if (silent) {
            Juror[] memory list = _list(s);
            for (uint256 i; i < votes.length; ++i) {
                if (votes[i] == Verdict.Undecided) continue;
                market.testify(s.w.t.pack(), s.w.l.pack(), s.index, list, i, s.said[i]);
                _silence(s, i);
            }
            vm.warp(at + SPEAK + 1);
        }
        _judge(s);
    }

    /// @dev A whole round in which all find the same, and what follows when nobody appeals.
    function _decided(Suit memory s, Verdict verdict) internal {
        _tried(s, _all(verdict, 5));
        _pass(APPEAL);
        _enforce(s);
    }

    function _appeal(Suit memory s) internal {
        vm.prank(second);
        market.appeal(s.w.t.pack(), s.w.l.pack(), s.index, 0);
        s.round = 2;
    }

    function _all(Verdict verdict, uint256 n) internal pure returns (Verdict[] memory votes) {
        votes = new Verdict[](n);
        for (uint256 i; i < n; ++i) {
            votes[i] = verdict;
        }
    }

    /// @dev `a` votes for one thing, then `b` for another.
    function _split(Verdict one, uint256 a, Verdict other, uint256 b) internal pure returns (Verdict[] memory votes) {
        votes = _all(one, a + b);
        for (uint256 i; i < b; ++i) {
            votes[a + i] = other;
        }
    }

    function _list(Suit memory s) internal view returns (Juror[] memory list) {
        list = new Juror[](s.said.length);
        for (uint256 i; i < list.length; ++i) {
            Testimony memory one = s.said[i];
            bool silent = one.verdict == Verdict.None;
            list[i] = Juror(one.node, silent ? one.salt : market.testimonyOf(s.key, s.round, one));
        }
    }

    /* READING */

    function _dispute(Suit memory s) internal view returns (Dispute memory) {
        return market.dispute(s.key);
    }

    function _balance(address account) internal view returns (uint256) {
        return market.balanceOf(address(dpu), account);
    }

    function _stake(Actor memory n) internal view returns (uint256) {
        return market.node(n.id).stake;
    }

    function _locked(Actor memory n) internal view returns (uint256) {
        return market.node(n.id).locked;
    }

    function _phase(Work memory w) internal view returns (Phase phase) {
        (phase,) = market.lease(w.id, 0);
    }

    /// @dev Every DPU that the Market holds is somebody's balance or fee, but `aside`: escrow, a bonus that waits, pledges. Every stake is in its
    /// owner's surrogate. What is missing from the supply was burnt.
    function _assertSolvent(uint256 aside) internal view {
        uint256 sum = aside;
        for (uint256 i; i < everyone.length; ++i) {
            sum += _balance(everyone[i]) + market.feesOf(address(dpu), everyone[i]);
        }
        assertEq(dpu.balanceOf(address(market)), sum, "every token has an owner");
        _assertBacked(alice);
        _assertBacked(bob);
        _assertBacked(carol);
        for (uint256 i; i < jurors.length; ++i) {
            _assertBacked(jurors[i]);
        }
    }

    function _assertBacked(Actor memory n) private view {
        assertEq(dpu.balanceOf(market.surrogateOf(n.owner)), _stake(n), "every stake is backed");
        assertLe(_locked(n), _stake(n), "locked is at stake");
    }

    function _burnt() internal view returns (uint256) {
        return 1_000_000_000e18 - dpu.totalSupply();
    }
}
