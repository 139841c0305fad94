// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {IMarket} from "src-contracts/interfaces/IMarket.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Rules, RulesLib} from "src-contracts/types/Rules.sol";
import {IDpu} from "test/contracts/lib/IDpu.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";
import {UsdToken} from "test/contracts/lib/Tokens.sol";

/// @dev A fresh Market with money, three nodes and helpers that walk one lease through its life. Helpers only move; tests assert.
abstract contract MarketTest is Test {
    struct Actor {
        uint32 id;
        address owner;
        address operator;
    }

    /// @dev One lease on its way, with everything that calldata needs.
    struct Work {
        Terms t;
        bytes32 id;
        Actor n;
        Lease l;
        Result r;
        bytes32 salt;
    }

    uint256 internal constant T0 = 1_800_000_000;
    uint96 internal constant STAKE = 10_000e18;

    IDpu internal dpu;
    UsdToken internal usd;
    IMarket internal extension;
    address internal panels;
    address internal exits;
    address internal court;
    IMarket internal market;

    address internal governor = makeAddr("governor");
    address internal treasury = makeAddr("treasury");
    address internal guard = makeAddr("guard");
    address internal stranger = makeAddr("stranger");
    address internal requester;
    uint256 internal requesterKey;
    Actor internal alice;
    Actor internal bob;
    Actor internal carol;

    uint64 private _salts;

    function setUp() public virtual {
        vm.warp(T0);
        vm.roll(1_000);
        (requester, requesterKey) = makeAddrAndKey("requester");
        dpu = IDpu(vm.deployCode("DpuToken.sol:DpuToken", abi.encode(address(this))));
        usd = new UsdToken();
        bytes memory token = abi.encode(address(dpu));
        extension = IMarket(vm.deployCode("MarketExtension.sol:MarketExtension", token));
        panels = vm.deployCode("MarketPanels.sol:MarketPanels", token);
        exits = vm.deployCode("MarketExits.sol:MarketExits", token);
        court = vm.deployCode("MarketCourt.sol:MarketCourt", token);
        market = IMarket(vm.deployCode("Market.sol:Market", _arguments(address(dpu), treasury)));

        vm.startPrank(governor);
        market.allowCurrency(address(usd), true);
        market.allowSeats(true);
        market.setGuardian(guard, uint40(T0 + 365 days));
        vm.stopPrank();

        dpu.approve(address(market), type(uint256).max);
        market.deposit(address(dpu), requester, 1_000_000e18);
        usd.mint(address(this), 1_000_000e6);
        usd.approve(address(market), type(uint256).max);
        market.deposit(address(usd), requester, 1_000_000e6);

        alice = _node("alice", STAKE);
        bob = _node("bob", STAKE);
        carol = _node("carol", STAKE);
        _pass(1 hours, 100);
    }

    /// @dev What a Market of the same parts is made with.
    function _arguments(address token, address treasury_) internal view returns (bytes memory) {
        return abi.encode(token, extension, panels, exits, court, governor, treasury_, _params());
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

    /// @dev One shard for alice, in DPU: price 1 … 2 over ten minutes, bond 8, exec 5 minutes, window 2 minutes.
    function _terms() internal returns (Terms memory t) {
        t.requester = requester;
        t.currency = address(dpu);
        t.minPrice = 1e18;
        t.maxPrice = 2e18;
        t.bond = 8e18;
        t.shards = 1;
        t.maxLease = 64;
        t.runtime = 1;
        t.seats = 1;
        t.rules = _rules(1);
        t.node = alice.id;
        t.expiry = uint40(_now() + 1 hours);
        t.ramp = 10 minutes;
        t.exec = 5 minutes;
        t.window = 2 minutes;
        t.spec = keccak256("spec");
        t.salt = ++_salts;
    }

    function _direct() internal returns (Terms memory t) {
        t = _terms();
        t.direct = true;
    }

    /// @dev `shards` shards, at most `most` a lease, open to every node.
    function _many(uint32 shards, uint16 most) internal returns (Terms memory t) {
        t = _terms();
        t.shards = shards;
        t.maxLease = most;
    }

    function _inUsd(Terms memory t) internal view returns (Terms memory) {
        t.currency = address(usd);
        t.minPrice = 1e6;
        t.maxPrice = 2e6;
        return t;
    }

    function _result(string memory seed) internal pure returns (Result memory) {
        return Result({
            root: keccak256(abi.encode(seed, "root")),
            units: uint64(uint256(keccak256(abi.encode(seed, "units")))),
            manifest: keccak256(abi.encode(seed, "manifest"))
        });
    }

    /* CLOCK */

    /// @dev Not `block.timestamp`: with via_ir it is read once and kept across a warp.
    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function _pass(uint256 seconds_, uint256 blocks) internal {
        vm.warp(vm.getBlockTimestamp() + seconds_);
        vm.roll(vm.getBlockNumber() + blocks);
    }

    /// @dev What terms carry of version `version` of the parameters.
    function _rules(uint16 version) internal view returns (Rules) {
        return RulesLib.pack(market.params(version), version);
    }

    /* PEOPLE */

    function _node(string memory name, uint96 stake) internal returns (Actor memory n) {
        n = _register(name, 2);
        if (stake == 0) return n;
        dpu.transfer(n.owner, stake);
        vm.startPrank(n.owner);
        dpu.approve(address(market), type(uint256).max);
        market.stake(n.id, stake);
        vm.stopPrank();
    }

    function _register(string memory name, uint32 runtimes) internal returns (Actor memory n) {
        n.owner = makeAddr(string.concat(name, " owner"));
        n.operator = makeAddr(string.concat(name, " operator"));
        vm.prank(n.owner);
        n.id = market.register(n.operator, runtimes, keccak256(bytes(name)), "http://127.0.0.1/");
    }

    function _free(Actor memory n) internal view returns (uint256) {
        Node memory record = market.node(n.id);
        return uint256(record.stake) - record.locked - record.queued;
    }

    /* A LEASE'S LIFE */

    function _post(Terms memory t) internal returns (bytes32 id) {
        vm.prank(t.requester);
        return market.post(t.pack());
    }

    /// @dev The claimed lease as the contract stores it.
    function _read(bytes32 id, uint32 first) internal view returns (Lease memory l) {
        return Packing.readable(LeaseWord.wrap(market.leaseWord(id, first)), first);
    }

    function _claim(Terms memory t, Actor memory n, uint16 count) internal returns (Work memory w) {
        vm.prank(n.operator);
        uint32 first = market.claim(t.pack(), n.id, count);
        w = _work(t, n, first);
    }

    /// @dev Everything of the lease that `n` just claimed at `first`.
    function _work(Terms memory t, Actor memory n, uint32 first) internal view returns (Work memory w) {
        w.t = t;
        w.id = market.jobId(t.pack());
        w.n = n;
        w.l = _read(w.id, first);
        w.r = _result(string(abi.encode(w.id, first)));
        w.salt = keccak256(abi.encode(w.id, first, "salt"));
    }

    function _claimed(Terms memory t) internal returns (Work memory w) {
        _post(t);
        return _claim(t, t.node == 0 ? alice : _actor(t.node), t.maxLease);
    }

    function _actor(uint32 id) internal view returns (Actor memory) {
        return id == alice.id ? alice : id == bob.id ? bob : carol;
    }

    function _takeOver(Work memory w, Actor memory n) internal returns (Work memory) {
        vm.prank(n.operator);
        market.takeOver(w.t.pack(), w.l.first, n.id);
        return _work(w.t, n, w.l.first);
    }

    function _commitmentOf(Work memory w) internal pure returns (bytes32) {
        return keccak256(abi.encode(w.id, w.l.first, uint8(0), w.l.node, w.r.root, w.r.units, w.r.manifest, w.salt));
    }

    function _commit(Work memory w) internal {
        bytes32 commitment = _commitmentOf(w);
        vm.prank(w.n.operator);
        if (w.l.flags & LeaseWordLib.SEAT == 0) market.commit(w.id, w.l.pack(), commitment);
        else market.commitSeat(w.id, w.l.pack(), commitment);
        w.l.commitment = commitment;
        w.l.committedBlock = uint40(vm.getBlockNumber());
    }

    function _reveal(Work memory w) internal {
        market.reveal(w.t.pack(), w.l.pack(), w.r, w.salt);
    }

    function _submit(Work memory w) internal {
        vm.prank(w.n.operator);
        market.submit(w.id, w.l.pack(), w.r);
    }

    function _committed(Terms memory t) internal returns (Work memory w) {
        w = _claimed(t);
        _commit(w);
    }

    function _revealed(Terms memory t) internal returns (Work memory w) {
        w = _claimed(t);
        _show(w);
    }

    /// @dev Submits a direct lease, commits and reveals any other.
    function _show(Work memory w) internal {
        if (w.t.direct) return _submit(w);
        _commit(w);
        _reveal(w);
    }

    function _settle(Work memory w) internal {
        Lease[] memory leases = new Lease[](1);
        Result[] memory results = new Result[](1);
        (leases[0], results[0]) = (w.l, w.r);
        market.settle(w.t.pack(), Packing.pack(leases), results);
    }

    function _settled(Terms memory t) internal returns (Work memory w) {
        w = _revealed(t);
        _pass(t.window + 1, 1);
        _settle(w);
    }

    function _accept(Work memory w) internal {
        market.accept(w.t.pack(), w.l.pack(), w.r, _acceptance(w.t, w.l.first, w.l.node, w.r));
    }

    function _lapsed(Terms memory t) internal returns (Work memory w) {
        w = _claimed(t);
        vm.warp(uint256(w.l.deadline) + 1);
        market.lapse(t.pack(), w.l.pack());
    }

    /* SIGNATURES: written out by hand, so that they check the contract's own hashing */

    function _domain() internal view returns (bytes32) {
        return _domain(block.chainid, address(market));
    }

    function _domain(uint256 chainId, address contract_) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DPU Market"),
                keccak256("1"),
                chainId,
                contract_
            )
        );
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _order(Terms memory t) internal view returns (bytes memory) {
        return _sign(requesterKey, market.jobId(t.pack()));
    }

    function _acceptance(Terms memory t, uint32 first, uint32 nodeId, Result memory r)
        internal
        view
        returns (bytes memory)
    {
        bytes32 typehash = keccak256(
            "Acceptance(bytes32 job,uint32 first,uint32 node,bytes32 root,uint64 units,bytes32 manifest)"
        );
        bytes32 hash =
            keccak256(abi.encode(typehash, market.jobId(t.pack()), first, nodeId, r.root, r.units, r.manifest));
        return _sign(requesterKey, keccak256(abi.encodePacked(hex"1901", _domain(), hash)));
    }

    /* READING */

    /// @dev The word under `key` as it lies in the slot of `_words` (test/snapshots/layout.json), where no view says it whole.
    function _storedWord(bytes32 key) internal view returns (uint256) {
        return uint256(vm.load(address(market), keccak256(abi.encode(key, uint256(14)))));
    }

    function _balance(address currency, address account) internal view returns (uint256) {
        return market.balanceOf(currency, account);
    }

    /// @dev Everybody beside whose balance fees may wait.
    function _owners() internal view virtual returns (address[] memory owners) {
        owners = new address[](3);
        (owners[0], owners[1], owners[2]) = (alice.owner, bob.owner, carol.owner);
    }

    function _fees(address currency) internal view returns (uint256 sum) {
        address[] memory owners = _owners();
        for (uint256 i; i < owners.length; ++i) {
            sum += market.feesOf(currency, owners[i]);
        }
    }

    function _record(Actor memory n) internal view returns (uint16) {
        return market.node(n.id).record;
    }

    function _phase(Work memory w) internal view returns (Phase phase) {
        (phase,) = market.lease(w.id, w.l.first);
    }

    function _state(bytes32 id) internal view returns (JobState) {
        return market.job(id).state;
    }

    function _assertJob(bytes32 id, Job memory expected) internal view {
        assertEq(abi.encode(market.job(id)), abi.encode(expected), "job");
    }

    function _pause() internal {
        vm.prank(guard);
        market.pause(1 days);
    }
}
