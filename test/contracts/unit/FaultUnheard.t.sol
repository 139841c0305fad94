// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {LeaseLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev One node says that the job cannot be done, and nobody may challenge that: the job goes on without it.
contract FaultUnheardTest is MarketTest {
    /// @dev One shard at 2 DPU, bond 8, without a challenge window, open to everyone.
    function _unheard(bool direct) private returns (Terms memory t) {
        t = direct ? _direct() : _terms();
        (t.node, t.window) = (0, 0);
        t.expiry = uint40(_now() + 1 days);
    }

    /// @dev Held by alice, who shows that the job cannot be done.
    function _faulted(Terms memory t) private returns (Work memory w) {
        _post(t);
        _pass(30 minutes, 2);
        w = _claim(t, alice, 1);
        w.r = Result(LeaseLib.SPEC_FAULT, 0, 0);
        _show(w);
    }

    function _expectPassedOn(Work memory w, uint256 bonus, uint16 record) private {
        vm.expectEmit(address(market));
        emit JobFacts.LeaseLapsed(w.id, w.n.id, w.l.first, 0, bonus, record, false);
    }

    function test_Settle_AFaultNobodyMayChallengeGivesAWholeJobBack() external {
        for (uint256 i; i < 2; ++i) {
            uint256 at = vm.snapshotState();
            Work memory w = _faulted(_unheard(i == 1));
            _expectPassedOn(w, 0, 4_375); // 5,000 less an eighth
            _settle(w);
            _assertJob(w.id, Job(JobState.Open, uint40(_now()), uint40(vm.getBlockNumber()), 1, 0, 0, 2e18));
            assertEq(uint8(_phase(w)), uint8(Phase.Lapsed));
            assertEq(_record(alice), 4_375);
            assertEq(_balance(address(dpu), alice.owner), 0);
            assertEq(market.node(alice.id).stake, STAKE, "no bond is lost");
            assertEq(market.node(alice.id).locked, 0);
            vm.revertToState(at);
        }
    }

    function test_Settle_AnotherNodeFinishesWhatWasSaidToBeImpossible() external {
        Work memory w = _faulted(_unheard(false));
        _settle(w);
        _pass(30 minutes, 2);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.TakeOverByFailed.selector, w.id, 0, alice.id));
        vm.prank(alice.operator);
        market.takeOver(w.t.pack(), 0, alice.id);
        Work memory next = _takeOver(w, bob);
        _show(next);
        _settle(next);
        assertEq(_balance(address(dpu), bob.owner), 1.94e18);
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete));
    }

    /// @dev What an earlier failure left for a retry stays with the shards.
    function test_Settle_AFaultNobodyMayChallengeLeavesItsBonus() external {
        Terms memory t = _unheard(false);
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 1);
        vm.warp(uint256(w.l.deadline) + 1);
        market.lapse(t.pack(), w.l.pack());
        _pass(30 minutes, 2);
        w = _takeOver(w, bob);
        w.r = Result(LeaseLib.SPEC_FAULT, 0, 0);
        _show(w);
        _expectPassedOn(w, 0.64e18, 4_375);
        _settle(w);
        _pass(30 minutes, 2);
        assertEq(_takeOver(w, carol).l.bonus, 0.64e9, "gwei");
    }

    function test_Settle_AFaultNobodyMayChallengeOfAPartLeavesTheOthers() external {
        Terms memory t = _unheard(true);
        (t.shards, t.maxLease) = (2, 1);
        Work memory w = _faulted(t);
        Work memory other = _claim(t, bob, 1);
        _settle(w);
        assertEq(market.job(w.id).busy, 1);
        assertEq(market.job(w.id).left, 4e18);
        _submit(other);
        _settle(other);
        assertEq(market.job(w.id).left, 2e18);
        _pass(30 minutes, 2);
        Work memory next = _takeOver(w, carol);
        _submit(next);
        _settle(next);
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete));
    }

    function test_Settle_AFaultNobodyMayChallengeFreesTheBondOfEveryShard() external {
        Terms memory t = _unheard(true);
        (t.shards, t.maxLease) = (4, 2);
        _post(t);
        _pass(30 minutes, 2);
        Work memory w = _claim(t, alice, 2);
        w.r = Result(LeaseLib.SPEC_FAULT, 0, 0);
        _show(w);
        assertEq(market.node(alice.id).locked, 16e18);
        _settle(w);
        assertEq(market.node(alice.id).locked, 0);
    }

    function test_Settle_AFaultNobodyMayChallengeEndsACancelledJob() external {
        Terms memory t = _unheard(true);
        (t.shards, t.maxLease) = (2, 1);
        uint256 before = _balance(address(dpu), requester);
        Work memory w = _faulted(t);
        vm.prank(requester);
        market.cancel(t.pack());
        _settle(w);
        assertEq(uint8(_state(w.id)), uint8(JobState.Closed));
        assertEq(_balance(address(dpu), requester), before);
    }

    /// @dev By signature the requester may believe it all the same.
    function test_Accept_AFaultNobodyMayChallenge() external {
        Work memory w = _faulted(_unheard(false));
        _accept(w);
        assertEq(_balance(address(dpu), alice.owner), 1.94e18);
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete));
    }
}
