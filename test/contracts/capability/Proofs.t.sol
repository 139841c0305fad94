// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Benchmark, ICapabilityProofs} from "src-contracts/interfaces/ICapabilityProofs.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {LeaseLib} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Proofs of capability against the real Market: who may begin, what the job is, when it counts.
contract ProofsTest is MarketTest {
    ICapabilityProofs private proofs;
    bytes32 private constant SEED = keccak256("the block before");

    function setUp() public override {
        super.setUp();
        bytes memory args = abi.encode(market, address(dpu), governor);
        proofs = ICapabilityProofs(vm.deployCode("CapabilityProofs.sol:CapabilityProofs", args));
        vm.startPrank(governor);
        market.setProver(address(proofs));
        proofs.setBenchmark(2, _benchmark());
        vm.stopPrank();
        market.deposit(address(dpu), address(proofs), 10);
        vm.setBlockhash(vm.getBlockNumber() - 1, SEED);
    }

    /* HELPERS */

    function _benchmark() private pure returns (Benchmark memory b) {
        b.runtime = 1;
        (b.claimFor, b.exec, b.window, b.validFor) = (2 minutes, 30 seconds, 10 minutes, 30 days);
        b.bond = 100e18;
        (b.head, b.tail) = ("head>", "<tail");
    }

    function _hex(bytes32 value) private pure returns (bytes memory text) {
        text = bytes(vm.toString(value));
        assertEq(text.length, 66);
    }

    /// @dev Terms of the proof that is number `number`, begun now.
    function _proofTerms(uint64 number) private view returns (Terms memory t, bytes32 nonce) {
        nonce = keccak256(abi.encode(SEED, block.chainid, address(proofs), uint256(number)));
        t.requester = address(proofs);
        t.currency = address(dpu);
        (t.minPrice, t.maxPrice, t.bond) = (1, 1, 100e18);
        (t.shards, t.maxLease, t.runtime, t.seats, t.direct) = (1, 1, 1, 1, true);
        t.rules = _rules(1);
        t.node = alice.id;
        t.expiry = uint40(_now() + 2 minutes);
        (t.exec, t.window) = (30 seconds, 10 minutes);
        t.spec = sha256(bytes.concat("head>", _hex(nonce), "<tail"));
        t.salt = number;
    }

    function _begin() private returns (Terms memory t, bytes32 job) {
        (t,) = _proofTerms(1);
        vm.prank(alice.operator);
        job = proofs.begin(alice.id, 2);
    }

    /// @dev Begun and done: complete in the Market.
    function _done() private returns (bytes32 job) {
        Terms memory t;
        (t, job) = _begin();
        Work memory w = _claim(t, alice, 1);
        _submit(w);
        _pass(t.window + 1, 1);
        _settle(w);
    }

    function _notProven(bytes32 job, JobState state) private {
        vm.expectRevert(abi.encodeWithSelector(ICapabilityProofs.NotProven.selector, job, state));
        proofs.finish(job);
    }

    /* BEGIN */

    function test_Begin_PostsTheJobForThisNodeAlone() external {
        (Terms memory t, bytes32 nonce) = _proofTerms(1);
        bytes32 id = market.jobId(t.pack());
        vm.expectEmit(address(market));
        emit JobFacts.JobPosted(id, address(proofs), t.pack());
        vm.expectEmit(address(proofs));
        emit ICapabilityProofs.ProofBegun(alice.id, id, 2, nonce);
        vm.prank(alice.owner);
        assertEq(proofs.begin(alice.id, 2), id);
        (uint32 node, uint8 tier, uint32 validFor) = proofs.proof(id);
        assertEq(node, alice.id);
        assertEq(tier, 2);
        assertEq(validFor, 30 days);
        assertEq(market.balanceOf(address(dpu), address(proofs)), 9, "one wei in escrow");
        vm.prank(bob.operator);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, id, bob.id));
        market.claim(t.pack(), bob.id, 1);
    }

    /// @dev The same node, tier and block: another nonce, another job.
    function test_Begin_IsAnotherJobEachTime() external {
        (Terms memory t,) = _proofTerms(2);
        vm.startPrank(alice.operator);
        proofs.begin(alice.id, 2);
        assertEq(proofs.begin(alice.id, 2), market.jobId(t.pack()));
    }

    function test_RevertWhen_Begin_ByAStranger() external {
        vm.prank(bob.owner);
        vm.expectRevert(abi.encodeWithSelector(ICapabilityProofs.NotOfNode.selector, alice.id, bob.owner));
        proofs.begin(alice.id, 2);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NodeUnknown.selector, 99));
        proofs.begin(99, 2);
    }

    function test_RevertWhen_Begin_OfAClosedTier() external {
        vm.prank(alice.owner);
        vm.expectRevert(abi.encodeWithSelector(ICapabilityProofs.TierClosed.selector, 3));
        proofs.begin(alice.id, 3);
        Benchmark memory none;
        vm.prank(governor);
        proofs.setBenchmark(2, none);
        vm.prank(alice.owner);
        vm.expectRevert(abi.encodeWithSelector(ICapabilityProofs.TierClosed.selector, 2));
        proofs.begin(alice.id, 2);
    }

    function test_RevertWhen_Begin_WithoutAWei() external {
        vm.startPrank(address(proofs));
        market.withdraw(address(dpu), stranger, 10);
        vm.stopPrank();
        vm.prank(alice.owner);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.BalanceTooLow.selector, address(dpu), address(proofs), 0, 1));
        proofs.begin(alice.id, 2);
    }

    /* FINISH */

    function test_Finish_GivesTheTierFromTheCompletionOn() external {
        bytes32 job = _done();
        uint40 until = uint40(_now() + 30 days);
        _pass(1 days, 1);
        vm.expectEmit(address(market));
        emit NodeFacts.NodeTierSet(alice.id, 2, until);
        vm.expectEmit(address(proofs));
        emit ICapabilityProofs.ProofFinished(alice.id, job, 2, until);
        vm.prank(stranger);
        proofs.finish(job);
        assertEq(market.node(alice.id).tier, 2);
        assertEq(market.node(alice.id).tierUntil, until);
        vm.expectRevert(abi.encodeWithSelector(ICapabilityProofs.ProofUnknown.selector, job));
        proofs.finish(job);
    }

    /// @dev Whatever stage the job is in: only a complete one counts.
    function test_RevertWhen_Finish_BeforeTheJobIsComplete() external {
        (Terms memory t, bytes32 job) = _begin();
        _notProven(job, JobState.Open);
        Work memory w = _claim(t, alice, 1);
        _notProven(job, JobState.Leased);
        _submit(w);
        _notProven(job, JobState.Leased);
        _pass(t.window + 1, 1);
        _notProven(job, JobState.Leased);
        _settle(w);
        proofs.finish(job);
    }

    function test_RevertWhen_Finish_OfAJobThatNobodyDid() external {
        (Terms memory t, bytes32 job) = _begin();
        vm.warp(uint256(t.expiry) + 1);
        market.close(t.pack());
        _notProven(job, JobState.Closed);
        assertEq(market.balanceOf(address(dpu), address(proofs)), 10, "the wei came back");
    }

    /// @dev "It cannot be computed" is no proof.
    function test_RevertWhen_Finish_OfASpecFault() external {
        (Terms memory t, bytes32 job) = _begin();
        Work memory w = _claim(t, alice, 1);
        w.r.root = LeaseLib.SPEC_FAULT;
        _submit(w);
        _pass(t.window + 1, 1);
        _settle(w);
        _notProven(job, JobState.Closed);
    }

    function test_RevertWhen_Finish_OfAJobThatIsNoProof() external {
        Work memory w = _settled(_terms());
        vm.expectRevert(abi.encodeWithSelector(ICapabilityProofs.ProofUnknown.selector, w.id));
        proofs.finish(w.id);
    }

    /// @dev The contract signs nothing: nobody can take a result before its window is over.
    function test_RevertWhen_Accept_ByAFriend() external {
        (Terms memory t, bytes32 job) = _begin();
        Work memory w = _claim(t, alice, 1);
        _submit(w);
        bytes memory signature = _acceptance(t, 0, alice.id, w.r);
        vm.expectPartialRevert(JobFacts.SignatureInvalid.selector);
        market.accept(t.pack(), w.l.pack(), w.r, signature);
        _notProven(job, JobState.Leased);
    }

    /* TIERS THAT ARE HELD */

    function test_Finish_NeverTakesAHigherTierAway() external {
        bytes32 job = _done();
        uint40 until = uint40(_now() + 1 days);
        vm.prank(governor);
        market.setTier(alice.id, 3, until);
        vm.expectRevert(abi.encodeWithSelector(ICapabilityProofs.TierHeld.selector, alice.id, 3, until));
        proofs.finish(job);
        vm.warp(until); // the last second at which it counts
        vm.expectRevert(abi.encodeWithSelector(ICapabilityProofs.TierHeld.selector, alice.id, 3, until));
        proofs.finish(job);
        vm.warp(uint256(until) + 1);
        proofs.finish(job);
        assertEq(market.node(alice.id).tier, 2);
    }

    function test_Finish_ProlongsTheSameTierAndRaisesALowerOne() external {
        uint40 until = uint40(_now() + 365 days);
        vm.prank(governor);
        market.setTier(alice.id, 1, until);
        bytes32 job = _done();
        uint40 first = uint40(_now() + 30 days);
        uint256 snapshot = vm.snapshotState();
        vm.prank(governor);
        market.setTier(alice.id, 2, first);
        vm.expectRevert(abi.encodeWithSelector(ICapabilityProofs.TierHeld.selector, alice.id, 2, first));
        proofs.finish(job);
        vm.prank(governor);
        market.setTier(alice.id, 2, first - 1);
        proofs.finish(job);
        assertEq(market.node(alice.id).tierUntil, first);
        vm.revertToState(snapshot);
        proofs.finish(job);
        assertEq(market.node(alice.id).tier, 2);
    }

    /* GOVERNANCE */

    function test_RevertWhen_SetBenchmark_ByAStranger() external {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger));
        proofs.setBenchmark(2, _benchmark());
    }

    function test_SetBenchmark_KeepsEveryField() external {
        Benchmark memory b = _benchmark();
        (b.runtime, b.exec, b.tail) = (3, 60, "another");
        vm.expectEmit(address(proofs));
        emit ICapabilityProofs.BenchmarkSet(7, 3, 60, 30 days, keccak256("head>another"));
        vm.prank(governor);
        proofs.setBenchmark(7, b);
        assertEq(abi.encode(proofs.benchmark(7)), abi.encode(b));
    }

    /// @dev What was begun goes on under what it began with.
    function test_SetBenchmark_LeavesProofsThatAreUnderWay() external {
        bytes32 job = _done();
        Benchmark memory b = _benchmark();
        b.validFor = 1 hours;
        vm.prank(governor);
        proofs.setBenchmark(2, b);
        proofs.finish(job);
        assertEq(market.node(alice.id).tierUntil, _now() + 30 days);
    }

    function _refused(Benchmark memory b, bytes32 field, uint256 value, uint256 least, uint256 most) private {
        vm.prank(governor);
        vm.expectRevert(
            abi.encodeWithSelector(ICapabilityProofs.BenchmarkOutOfBounds.selector, field, value, least, most)
        );
        proofs.setBenchmark(2, b);
    }

    function _taken(Benchmark memory b) private {
        vm.prank(governor);
        proofs.setBenchmark(2, b);
    }

    function test_SetBenchmark_Bounds() external {
        Benchmark memory b = _benchmark();
        b.claimFor = 0;
        _refused(b, "claimFor", 0, 1, 1 hours);
        b.claimFor = 1 hours + 1;
        _refused(b, "claimFor", 1 hours + 1, 1, 1 hours);
        b.claimFor = 1 hours;
        _taken(b);
        b.exec = 1 hours + 1;
        _refused(b, "exec", 1 hours + 1, 1, 1 hours);
        b.exec = 1 hours;
        _taken(b);
        b.window = 0;
        _refused(b, "window", 0, 1, 24 hours);
        b.window = 24 hours + 1;
        _refused(b, "window", 24 hours + 1, 1, 24 hours);
        b.window = 24 hours;
        _taken(b);
        b.validFor = 1 hours - 1;
        _refused(b, "validFor", 1 hours - 1, 1 hours, 90 days);
        b.validFor = 90 days + 1;
        _refused(b, "validFor", 90 days + 1, 1 hours, 90 days);
        b.validFor = 90 days;
        _taken(b);
        b.bond = 0;
        _refused(b, "bond", 0, 1, type(uint96).max);
        b.bond = 1;
        _taken(b);
        (b.head, b.tail) = ("", "");
        _refused(b, "spec", 0, 1, 4_096);
        (b.head, b.tail) = (new bytes(4_000), new bytes(97));
        _refused(b, "spec", 4_097, 1, 4_096);
        b.tail = new bytes(96);
        _taken(b);
        vm.prank(governor);
        vm.expectRevert(
            abi.encodeWithSelector(ICapabilityProofs.BenchmarkOutOfBounds.selector, bytes32("tier"), 0, 1, 255)
        );
        proofs.setBenchmark(0, b);
    }
}
