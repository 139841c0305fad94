// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {LeaseWordLib, Phase} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Jobs are open to all here; the helper waits until the draw is over.
contract TakeOverTest is MarketTest {
    /// @dev A lease of alice that lapsed, and so long ago that everyone may take it.
    function _waiting(Terms memory t) private returns (Work memory w) {
        t.node = 0;
        t.expiry = uint40(_now() + 1 days);
        _post(t);
        _pass(30 minutes, 2);
        w = _claim(t, alice, t.maxLease);
        vm.warp(uint256(w.l.deadline) + 1);
        market.lapse(t.pack(), w.l.pack());
    }

    function _refuses(Work memory w, Actor memory n, bytes memory error) private {
        vm.expectRevert(error);
        vm.prank(n.operator);
        market.takeOver(w.t.pack(), w.l.first, n.id);
    }

    function test_TakeOver_OfAWholeJobMovesBackIntoItsSlot() external {
        Work memory w = _waiting(_terms());
        _pass(30 minutes, 2);
        bytes32 range = keccak256(abi.encode(w.id, 0));
        assertEq(_storedWord(range), market.leaseWord(w.id, 0));

        // 20 % of a bond of 8 was slashed; 40 % of that waits for the next holder.
        vm.expectEmit(address(market));
        emit JobFacts.LeaseClaimed(
            w.id, bob.id, 0, LeaseWordLib.claimed(0x80, uint40(_now() + 300), bob.id, 1, 2e18, 0.64e9)
        );
        Work memory next = _takeOver(w, bob);

        assertEq(next.l.bonus, 0.64e9, "in gwei");
        assertEq(uint8(_state(w.id)), uint8(JobState.Leased));
        assertEq(_storedWord(range), 0, "no word is left");
        assertEq(market.node(bob.id).locked, 8e18);
        assertEq(market.node(alice.id).locked, 0);
    }

    function test_TakeOver_OfAPartLeavesTheCursor() external {
        Work memory w = _waiting(_many(5, 2));
        Job memory before = market.job(w.id);
        assertEq(before.busy, 0);
        _pass(30 minutes, 2);
        Work memory next = _takeOver(w, bob);

        assertEq(next.l.count, 2);
        before.busy = 2;
        _assertJob(w.id, before);
    }

    function test_TakeOver_PriceRampBeginsAgainAtTheLapse() external {
        Terms memory t = _many(2, 1);
        t.ramp = 1 hours;
        Work memory w = _waiting(t);
        _pass(30 minutes, 2);
        assertEq(_takeOver(w, bob).l.price, 1.5e18);
    }

    function test_TakeOver_BonusesAddUpOverFailures() external {
        Work memory w = _waiting(_terms());
        _pass(30 minutes, 2);
        Work memory second = _takeOver(w, bob);
        vm.warp(uint256(second.l.deadline) + 1);
        market.lapse(second.t.pack(), second.l.pack());
        _pass(30 minutes, 2);
        Work memory third = _takeOver(second, carol);
        assertEq(third.l.bonus, 1.28e9);

        uint256 before = _balance(address(dpu), carol.owner);
        _show(third);
        _pass(third.t.window + 1, 1);
        _settle(third);
        assertEq(_balance(address(dpu), carol.owner) - before, 1.94e18 + 1.28e18, "price less 3 %, and both bonuses");
    }

    function test_TakeOver_WaitsForItsOwnDraw() external {
        Work memory w = _waiting(_terms());
        _refuses(w, bob, abi.encodeWithSelector(JobFacts.NotDrawn.selector, w.id, bob.id, type(uint40).max));
        uint256 lapsedAt = _now();
        _pass(1, 2);
        Actor memory young = _node("young", STAKE);
        uint40 from = uint40(lapsedAt + 30 minutes);
        (bool now_, uint40 told) = market.drawn(w.t.pack(), 0, young.id);
        assertFalse(now_);
        assertEq(told, from, "the draw began anew with the lapse");
        _refuses(w, young, abi.encodeWithSelector(JobFacts.NotDrawn.selector, w.id, young.id, from));
        vm.warp(from);
        _takeOver(w, young);
    }

    function test_RevertWhen_TakeOver_ByTheNodeThatFailed() external {
        Work memory w = _waiting(_terms());
        _pass(30 minutes, 2);
        _refuses(w, alice, abi.encodeWithSelector(JobFacts.TakeOverByFailed.selector, w.id, 0, alice.id));
    }

    function test_RevertWhen_TakeOver_LeaseIsNotLapsed() external {
        Terms memory t = _many(5, 2);
        Work memory w = _claimed(t);
        _refuses(w, bob, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Claimed, Phase.Lapsed));
        w.l.first = 4;
        _refuses(w, bob, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 4, Phase.None, Phase.Lapsed));
    }

    function test_RevertWhen_TakeOver_JobIsLeasedOrOver() external {
        Work memory w = _waiting(_terms());
        _pass(30 minutes, 2);
        _takeOver(w, bob);
        _refuses(w, carol, abi.encodeWithSelector(JobFacts.JobInState.selector, w.id, JobState.Leased, JobState.Open));

        w = _waiting(_terms());
        vm.warp(w.t.expiry + 1);
        market.close(w.t.pack());
        _refuses(w, carol, abi.encodeWithSelector(JobFacts.JobInState.selector, w.id, JobState.Closed, JobState.Open));
    }

    function test_RevertWhen_TakeOver_AfterExpiry() external {
        Work memory w = _waiting(_many(2, 1));
        vm.warp(w.t.expiry);
        vm.roll(vm.getBlockNumber() + 2);
        uint256 at = vm.snapshotState();
        _takeOver(w, bob);
        vm.revertToState(at);
        vm.warp(w.t.expiry + 1);
        _refuses(w, bob, abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, w.t.expiry));
    }

    function test_RevertWhen_TakeOver_NotByTheOperator() external {
        Work memory w = _waiting(_terms());
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, bob.id, stranger));
        vm.prank(stranger);
        market.takeOver(w.t.pack(), 0, bob.id);
    }

    function test_RevertWhen_TakeOver_NodeIsNotEligible() external {
        Actor memory other = _register("onnx only", 8);
        Work memory w = _waiting(_terms());
        _refuses(w, other, abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, w.id, other.id));
    }

    function test_RevertWhen_TakeOver_StakeIsTooLow() external {
        Actor memory bare = _node("bare", 999e18);
        Work memory w = _waiting(_terms());
        _pass(30 minutes, 2);
        _refuses(w, bare, abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, bare.id, 999e18, 1_000e18));
    }

    function test_RevertWhen_TakeOver_Paused() external {
        Work memory w = _waiting(_terms());
        _pause();
        _refuses(w, bob, abi.encodeWithSelector(LedgerFacts.PausedUntil.selector, uint40(_now() + 1 days)));
    }
}
