// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Job, JobState} from "src-contracts/types/Job.sol";
import {Phase, Result} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

contract ViewsTest is MarketTest {
    function test_Job_OfALeasedJobShowsItsStateOnly() external {
        Work memory w = _claimed(_terms());
        _assertJob(w.id, Job(JobState.Leased, 0, 0, 0, 0, 0, 0));
        _assertJob(keccak256("none"), Job(JobState.None, 0, 0, 0, 0, 0, 0));
    }

    function test_Lease_SaysThePhaseAndItsSecond() external {
        Terms[2] memory both = [_terms(), _many(4, 2)];
        for (uint256 i; i < 2; ++i) {
            Work memory w = _claimed(both[i]);
            _assertLease(w, Phase.Claimed, w.l.deadline);
            _pass(10, 1);
            _commit(w);
            _assertLease(w, Phase.Committed, _now());
            _pass(10, 1);
            _reveal(w);
            _assertLease(w, Phase.Revealed, _now());
            _accept(w);
            _assertLease(w, Phase.None, 0);
            w = _lapsed(both[i].shards == 1 ? _terms() : _many(4, 2));
            _assertLease(w, Phase.Lapsed, _now());
        }
    }

    function _assertLease(Work memory w, Phase phase, uint256 at) private view {
        (Phase phase_, uint40 at_) = market.lease(w.id, w.l.first);
        assertEq(uint8(phase_), uint8(phase), "phase");
        assertEq(at_, at, "at");
    }

    function test_PriceAt_FollowsTheRamp() external {
        Terms memory t = _terms();
        _post(t);
        uint256 from = _now();
        assertEq(market.priceAt(t.pack(), from - 1), 1e18);
        assertEq(market.priceAt(t.pack(), from), 1e18);
        assertEq(market.priceAt(t.pack(), from + 150), 1.25e18);
        assertEq(market.priceAt(t.pack(), from + 600), 2e18);
        assertEq(market.priceAt(t.pack(), type(uint40).max), 2e18);
    }

    function test_PriceAt_OfAnOrderThatNobodyHasBrought() external {
        Terms memory t = _terms();
        assertEq(market.priceAt(t.pack(), _now() + 100), 1e18, "the ramp begins when it is brought");
        t.start = uint40(_now());
        assertEq(market.priceAt(t.pack(), _now() + 60), 1.1e18, "or at its start");
    }

    /// @dev The price of the next claim, should the lease lapse in its last second.
    function test_PriceAt_OfAJobThatALeaseCovers() external {
        Terms memory t = _terms();
        Work memory w = _claimed(t);
        assertEq(market.priceAt(t.pack(), w.l.deadline), 1e18);
        assertEq(market.priceAt(t.pack(), w.l.deadline + 60), 1.1e18);
    }

    function test_WorstCaseExit_OfSeveralSeats() external {
        Terms memory t = _terms();
        (t.seats, t.node, t.window) = (3, 0, 0);
        _post(t);
        assertEq(market.worstCaseExit(t.pack()), t.expiry + 300 + 1 + 2 * 300 + 10 minutes);
        t.window = 120;
        _post(t);
        assertEq(market.worstCaseExit(t.pack()), t.expiry + 300 + 120 + 1 + 2 * 300 + 10 minutes + 2 * 300 + 50 minutes);
    }

    function test_WorstCaseExit_IsTheSumOfEveryWindow() external {
        Terms memory t = _terms();
        _post(t);
        assertEq(
            market.worstCaseExit(t.pack()),
            t.expiry + 300 + 120 + 1 + 30 minutes + 300 + 10 minutes + 2 * 300 + 50 minutes
        );
        t = _direct();
        Work memory w = _claimed(t);
        assertEq(market.worstCaseExit(t.pack()), t.expiry + 300 + 120 + 1 + 2 * 300 + 50 minutes);
        _accept(w);
        assertEq(market.worstCaseExit(t.pack()), 0);
    }

    /// @dev The slowest way there is: claimed, committed and revealed in the last second each, audited.
    function test_WorstCaseExit_IsReachedAndNotPassed() external {
        Terms memory t = _terms();
        t.auditBps = 10_000;
        _post(t);
        uint256 last = market.worstCaseExit(t.pack());
        vm.warp(t.expiry);
        Work memory w = _claim(t, alice, 1);
        vm.warp(w.l.deadline);
        _commit(w);
        _pass(40 minutes, 2);
        _reveal(w);
        vm.warp(last - 1);
        assertEq(uint8(_state(w.id)), uint8(JobState.Leased));
        vm.warp(last);
        _settle(w);
        assertEq(market.worstCaseExit(t.pack()), 0);
    }

    function test_CommitmentOf_IsTheHashOfEverything() external {
        Work memory w = _claimed(_terms());
        assertEq(market.commitmentOf(w.id, 0, 0, alice.id, w.r, w.salt), _commitmentOf(w));
    }

    function testFuzz_CommitmentOf_BindsEachPart(
        bytes32 id,
        uint32 first,
        uint8 seat,
        uint32 node,
        bytes32 root,
        uint64 units,
        bytes32 manifest,
        bytes32 salt
    ) external view {
        Result memory r = Result(root, units, manifest);
        bytes32 c = market.commitmentOf(id, first, seat, node, r, salt);
        assertEq(c, keccak256(abi.encode(id, first, seat, node, root, units, manifest, salt)));
        assertNotEq(c, market.commitmentOf(id ^ bytes32(uint256(1)), first, seat, node, r, salt));
        assertNotEq(c, market.commitmentOf(id, first ^ 1, seat, node, r, salt));
        assertNotEq(c, market.commitmentOf(id, first, seat ^ 1, node, r, salt));
        assertNotEq(c, market.commitmentOf(id, first, seat, node ^ 1, r, salt));
        assertNotEq(c, market.commitmentOf(id, first, seat, node, Result(root, units ^ 1, manifest), salt));
        assertNotEq(c, market.commitmentOf(id, first, seat, node, r, salt ^ bytes32(uint256(1))));
    }

    /* MERKLE */

    function _leaf(uint32 shard, bytes32 hash, uint64 units) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(shard, hash, units))));
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
    }

    function test_IsShardOf_ATreeOfThree() external view {
        bytes32 h = keccak256("result");
        bytes32[3] memory leaves = [_leaf(0, h, 1), _leaf(1, h, 2), _leaf(2, h, 3)];
        bytes32 root = _pair(_pair(leaves[0], leaves[1]), leaves[2]);
        bytes32[] memory proof = new bytes32[](2);
        (proof[0], proof[1]) = (leaves[0], leaves[2]);

        assertTrue(market.isShardOf(root, 1, h, 2, proof));
        assertFalse(market.isShardOf(root, 1, h, 3, proof), "units");
        assertFalse(market.isShardOf(root, 2, h, 2, proof), "shard");
        assertFalse(market.isShardOf(root, 1, 0, 2, proof), "hash");
        assertFalse(market.isShardOf(root, 1, h, 2, new bytes32[](0)), "proof");
        assertTrue(market.isShardOf(leaves[0], 0, h, 1, new bytes32[](0)), "a tree of one");
    }
}
