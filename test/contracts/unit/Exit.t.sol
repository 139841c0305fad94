// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {Phase} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Cancel, close, sweep.
contract ExitTest is MarketTest {
    function _cancel(Terms memory t) private {
        vm.prank(requester);
        market.cancel(t.pack());
    }

    function _refusesToCancel(Terms memory t, bytes memory error) private {
        vm.expectRevert(error);
        _cancel(t);
    }

    /* CANCEL */

    function test_Cancel_RefundsAnUntouchedJob() external {
        Terms memory t = _inUsd(_many(5, 2));
        uint256 before = _balance(address(usd), requester);
        bytes32 id = _post(t);
        vm.warp(_now() + 60);

        vm.expectEmit(address(market));
        emit JobFacts.JobCancelled(id, 0);
        vm.expectEmit(address(market));
        emit JobFacts.JobClosed(id, 10e6);
        _cancel(t);

        assertEq(_balance(address(usd), requester), before);
        _assertJob(id, Job(JobState.Closed, uint40(_now()), 0, 0, 0, 0, 0));
    }

    function test_Cancel_KeepsWhatLivingLeasesMayCost() external {
        Terms memory t = _many(5, 2);
        uint256 before = _balance(address(dpu), requester);
        Work memory w = _claimed(t);
        Job memory j = market.job(w.id);
        vm.warp(_now() + 60);

        vm.expectEmit(address(market));
        emit JobFacts.JobCancelled(w.id, 6e18);
        _cancel(t);

        (j.state, j.left) = (JobState.Cancelled, 4e18);
        _assertJob(w.id, j);
        assertEq(before - _balance(address(dpu), requester), 4e18);
        _show(w);
        _pass(t.window + 1, 1);
        _settle(w);
        assertEq(before - _balance(address(dpu), requester), 2e18, "two shards at 1");
    }

    function test_Cancel_AfterEveryShardWasClaimedStillCompletes() external {
        Terms memory t = _many(4, 2);
        Work memory a = _claimed(t);
        Work memory b = _claim(t, alice, 2);
        vm.warp(_now() + 60);
        _cancel(t);
        _accept(a);
        _accept(b);
        assertEq(uint8(_state(a.id)), uint8(JobState.Complete));
    }

    function test_RevertWhen_Cancel_BeforeItWasOpenLongEnough() external {
        Terms memory t = _terms();
        bytes32 id = _post(t);
        uint40 from = uint40(_now() + 60);
        vm.warp(from - 1);
        _refusesToCancel(t, abi.encodeWithSelector(JobFacts.TooEarly.selector, id, 0, from));
        vm.warp(from);
        _cancel(t);
    }

    function test_RevertWhen_Cancel_ByAnother() external {
        Terms memory t = _terms();
        bytes32 id = _post(t);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.NotRequester.selector, id, stranger));
        vm.prank(stranger);
        market.cancel(t.pack());
    }

    function test_RevertWhen_Cancel_JobIsLeasedCancelledOrOver() external {
        Terms memory t = _terms();
        bytes32 id = _claimed(t).id;
        _refusesToCancel(t, abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Leased, JobState.Open));
        t = _many(4, 2);
        id = _claimed(t).id;
        vm.warp(_now() + 60);
        _cancel(t);
        _refusesToCancel(t, abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Cancelled, JobState.Open));
        t = _terms();
        id = market.jobId(t.pack());
        _cancel(t);
        _refusesToCancel(t, abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Closed, JobState.Open));
        t = _direct();
        id = _settled(t).id;
        _refusesToCancel(t, abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Complete, JobState.Open));
    }

    function test_Cancel_AfterALapseWaitsAgain() external {
        Work memory w = _lapsed(_terms());
        _refusesToCancel(w.t, abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, uint40(_now() + 60)));
        vm.warp(_now() + 60);
        _cancel(w.t);
        assertEq(uint8(_state(w.id)), uint8(JobState.Closed));
    }

    function test_Cancel_WorksWhilePaused() external {
        Terms memory t = _terms();
        _post(t);
        _pause();
        vm.warp(_now() + 60);
        _cancel(t);
    }

    /* CLOSE */

    function test_Close_RefundsAnExpiredJob() external {
        Terms memory t = _many(5, 2);
        Work memory w = _revealed(t);
        _accept(w);
        vm.warp(t.expiry + 1);

        vm.expectEmit(address(market));
        emit JobFacts.JobClosed(w.id, 8e18);
        vm.prank(stranger);
        market.close(t.pack());
    }

    function test_RevertWhen_Close_InItsLastSecond() external {
        Terms memory t = _terms();
        bytes32 id = _post(t);
        vm.warp(t.expiry);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.TooEarly.selector, id, 0, t.expiry + 1));
        market.close(t.pack());
        vm.warp(t.expiry + 1);
        market.close(t.pack());
    }

    function test_RevertWhen_Close_ALeaseLives() external {
        Terms memory t = _many(5, 2);
        t.exec = 2 hours;
        Work memory w = _claimed(t);
        vm.warp(t.expiry + 1);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobBusy.selector, w.id));
        market.close(t.pack());
        vm.warp(uint256(w.l.deadline) + 1);
        market.lapse(t.pack(), w.l.pack());
        market.close(t.pack());
    }

    function test_RevertWhen_Close_JobIsNotOpen() external {
        Terms memory t = _terms();
        bytes32 id = market.jobId(t.pack());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.None, JobState.Open));
        market.close(t.pack());
        _claimed(t);
        vm.warp(t.expiry + 1);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Leased, JobState.Open));
        market.close(t.pack());
    }

    function test_Close_WorksWhilePaused() external {
        Terms memory t = _terms();
        _post(t);
        vm.warp(t.expiry + 1);
        _pause();
        market.close(t.pack());
    }

    /* SWEEP */

    function test_Sweep_GivesTheBonusToTheTreasury() external {
        Work memory w = _lapsed(_terms());
        vm.warp(w.t.expiry + 1);
        market.close(w.t.pack());
        uint256 before = _balance(address(dpu), treasury);

        vm.expectEmit(address(market));
        emit JobFacts.BonusSwept(w.id, 0, 0.64e18);
        vm.prank(stranger);
        market.sweep(w.id, 0);

        assertEq(_balance(address(dpu), treasury) - before, 0.64e18);
        assertEq(market.leaseWord(w.id, 0), 0);
    }

    function test_RevertWhen_Sweep_JobIsNotClosed() external {
        Work memory w = _lapsed(_many(4, 2));
        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, w.id, JobState.Open, JobState.Closed));
        market.sweep(w.id, 0);
        w = _settled(_direct());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, w.id, JobState.Complete, JobState.Closed));
        market.sweep(w.id, 0);
    }

    function test_RevertWhen_Sweep_TwiceOrNothingLapsed() external {
        Work memory w = _lapsed(_terms());
        vm.warp(w.t.expiry + 1);
        market.close(w.t.pack());
        market.sweep(w.id, 0);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.None, Phase.Lapsed));
        market.sweep(w.id, 0);
    }

    /// @dev A lapsed lease's own key has the tag of a closed job; passing it for an id must find nothing to sweep.
    function test_RevertWhen_Sweep_IdIsALeaseKey() external {
        Work memory w = _lapsed(_many(4, 2));
        bytes32 key = keccak256(abi.encode(w.id, uint256(0)));
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, key, 0, Phase.None, Phase.Lapsed));
        market.sweep(key, 0);
    }
}
