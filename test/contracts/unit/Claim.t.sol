// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {LeaseWordLib, Phase} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

contract ClaimTest is MarketTest {
    function _refuses(Terms memory t, Actor memory n, uint16 count, bytes memory error) private {
        vm.expectRevert(error);
        vm.prank(n.operator);
        market.claim(t.pack(), n.id, count);
    }

    function test_Claim_OfTheWholeJobTakesItsSlot() external {
        Terms memory t = _terms();
        bytes32 id = _post(t);

        vm.expectEmit(address(market));
        emit JobFacts.LeaseClaimed(
            id, alice.id, 0, LeaseWordLib.claimed(0x80, uint40(_now() + t.exec), alice.id, 1, 1e18, 0)
        );
        Work memory w = _claim(t, alice, 64);

        assertEq(uint8(_state(id)), uint8(JobState.Leased));
        assertEq(w.l.count, 1, "clamped to what is left");
        assertEq(market.leaseWord(id, 0) >> 248, 0x81, "solo, claimed");
        assertEq(market.node(alice.id).locked, 8e18);
    }

    function test_Claim_OfAPartMovesTheCursor() external {
        Terms memory t = _many(5, 2);
        bytes32 id = _post(t);
        uint40 postedAt = uint40(_now());
        uint40 postedIn = uint40(vm.getBlockNumber());

        assertEq(_claim(t, alice, 2).l.first, 0);
        assertEq(_claim(t, alice, 1).l.first, 2);
        Work memory last = _claim(t, alice, 2);

        assertEq(last.l.first, 3);
        assertEq(last.l.count, 2);
        _assertJob(id, Job(JobState.Open, postedAt, postedIn, 5, 5, 0, 10e18));
        assertEq(market.node(alice.id).locked, 40e18, "five bonds");
        (Phase phase, uint40 at) = market.lease(id, 3);
        assertEq(uint8(phase), uint8(Phase.Claimed));
        assertEq(at, last.l.deadline);
    }

    function test_Claim_TakesFewerWhenFewerAreLeft() external {
        Terms memory t = _many(5, 4);
        _post(t);
        _claim(t, alice, 4);
        assertEq(_claim(t, alice, 4).l.count, 1);
    }

    function test_Claim_DirectJobIsMarkedSo() external {
        Work memory w = _claimed(_direct());
        assertEq(market.leaseWord(w.id, 0) >> 248, 0xc1, "solo, direct, claimed");
        Terms memory t = _many(2, 1);
        t.direct = true;
        w = _claimed(t);
        assertEq(market.leaseWord(w.id, 0) >> 248, 0x41, "direct, claimed");
    }

    function test_Claim_PriceFollowsTheRamp() external {
        uint256[5] memory after_ = [uint256(0), 1, 300, 599, 601];
        uint96[5] memory price = [uint96(1e18), 1_001_666_666_666_666_666, 1.5e18, 1_998_333_333_333_333_333, 2e18];
        for (uint256 i; i < 5; ++i) {
            Terms memory t = _terms();
            _post(t);
            vm.warp(_now() + after_[i]);
            assertEq(_claim(t, alice, 1).l.price, price[i], "rounded down");
        }
    }

    function test_Claim_RampOfZeroIsTheHighestPriceAtOnceAfterTheStart() external {
        Terms memory t = _terms();
        t.ramp = 0;
        _post(t);
        assertEq(_claim(t, alice, 1).l.price, 1e18, "in the first second");
        t = _terms();
        t.ramp = 0;
        _post(t);
        vm.warp(_now() + 1);
        assertEq(_claim(t, alice, 1).l.price, 2e18);
    }

    function test_RevertWhen_Claim_BeforeItsStart() external {
        Terms memory t = _terms();
        t.start = uint40(_now() + 100);
        bytes32 id = _post(t);

        vm.warp(t.start - 1);
        _refuses(t, alice, 1, abi.encodeWithSelector(JobFacts.NotOpenYet.selector, id, t.start));
        vm.warp(t.start);
        assertEq(_claim(t, alice, 1).l.price, 1e18, "the ramp begins at the start");
    }

    function test_RevertWhen_Claim_AfterExpiry() external {
        Terms memory t = _many(2, 1);
        bytes32 id = _post(t);

        vm.warp(t.expiry);
        _claim(t, alice, 1);
        vm.warp(t.expiry + 1);
        _refuses(t, alice, 1, abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, id, 0, t.expiry));
    }

    function test_RevertWhen_Claim_EarlierJobIsNotComplete() external {
        Terms memory first = _direct();
        first.window = 0;
        bytes32 firstId = _post(first);
        Terms memory t = _terms();
        t.afterJob = firstId;
        bytes32 id = _post(t);
        bytes memory error = abi.encodeWithSelector(JobFacts.AfterNotComplete.selector, id, firstId);

        _refuses(t, alice, 1, error);
        Work memory w = _claim(first, alice, 1);
        _refuses(t, alice, 1, error);
        _show(w);
        _refuses(t, alice, 1, error);
        _pass(400, 1);
        _settle(w);
        vm.warp(_now() + 60);
        assertEq(_claim(t, alice, 1).l.price, 1.1e18, "the ramp begins when the earlier job is complete");
    }

    function test_RevertWhen_Claim_EarlierJobEndedIncomplete() external {
        Terms memory first = _terms();
        bytes32 firstId = _post(first);
        Terms memory t = _terms();
        t.afterJob = firstId;
        bytes32 id = _post(t);
        vm.warp(_now() + 60);
        vm.prank(requester);
        market.cancel(first.pack());

        _refuses(t, alice, 1, abi.encodeWithSelector(JobFacts.AfterNotComplete.selector, id, firstId));
    }

    function test_RevertWhen_Claim_JobIsNotOpen() external {
        Terms memory t = _terms();
        bytes32 id = market.jobId(t.pack());
        _refuses(t, alice, 1, abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.None, JobState.Open));

        _claimed(t);
        _refuses(t, alice, 1, abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Leased, JobState.Open));

        t = _many(3, 1);
        id = _claimed(t).id;
        vm.warp(_now() + 60);
        vm.prank(requester);
        market.cancel(t.pack());
        _refuses(
            t, alice, 1, abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Cancelled, JobState.Open)
        );
    }

    function test_RevertWhen_Claim_NothingIsLeft() external {
        Terms memory t = _many(2, 1);
        bytes32 id = _post(t);
        _claim(t, alice, 1);
        _claim(t, alice, 1);
        _refuses(t, alice, 1, abi.encodeWithSelector(JobFacts.NothingToClaim.selector, id));
    }

    function test_RevertWhen_Claim_CountIsZeroOrTooMuch() external {
        Terms memory t = _many(5, 2);
        bytes32 id = _post(t);
        _refuses(t, alice, 0, abi.encodeWithSelector(JobFacts.CountInvalid.selector, id, 0, 2));
        _refuses(t, alice, 3, abi.encodeWithSelector(JobFacts.CountInvalid.selector, id, 3, 2));
    }

    function test_RevertWhen_Claim_NotByTheOperator() external {
        Terms memory t = _terms();
        _post(t);
        address[3] memory callers = [alice.owner, bob.operator, stranger];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, alice.id, callers[i]));
            vm.prank(callers[i]);
            market.claim(t.pack(), alice.id, 1);
        }
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, 99, alice.operator));
        vm.prank(alice.operator);
        market.claim(t.pack(), 99, 1);
    }

    function test_RevertWhen_Claim_NodeIsNotTheNamedOne() external {
        Terms memory t = _terms();
        bytes32 id = _post(t);
        _refuses(t, bob, 1, abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, id, bob.id));
    }

    function test_RevertWhen_Claim_NodeLacksTheRuntime() external {
        vm.prank(governor);
        market.allowRuntime(3, true);
        Terms memory t = _terms();
        t.runtime = 3;
        bytes32 id = _post(t);
        _refuses(t, alice, 1, abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, id, alice.id));
    }

    function test_RevertWhen_Claim_TierIsMissingTooLowOrOver() external {
        Terms memory t = _many(2, 1);
        t.tier = 2;
        bytes32 id = _post(t);
        bytes memory error = abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, id, alice.id);
        uint40 until = uint40(_now() + 100);

        _refuses(t, alice, 1, error);
        vm.prank(governor);
        market.setTier(alice.id, 1, until);
        _refuses(t, alice, 1, error);
        vm.prank(governor);
        market.setTier(alice.id, 2, until);
        vm.warp(until);
        _claim(t, alice, 1);
        vm.warp(until + 1);
        _refuses(t, alice, 1, error);
    }

    function test_RevertWhen_Claim_StakeIsTooLowForTheBond() external {
        Terms memory t = _many(2, 1);
        t.bond = STAKE - 1;
        _post(t);
        _claim(t, alice, 1);
        assertEq(_free(alice), 1);
        _refuses(t, alice, 1, abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, alice.id, 1, STAKE - 1));
    }

    function test_Claim_LocksTheLastOfAStake() external {
        Terms memory t = _terms();
        t.bond = STAKE;
        _post(t);
        _claim(t, alice, 1);
        assertEq(_free(alice), 0);
    }

    function test_RevertWhen_Claim_StakeIsBelowTheLeast() external {
        Terms memory t = _many(2, 1);
        _post(t);
        vm.prank(alice.owner);
        market.queueUnstake(alice.id, STAKE - 1_000e18);
        _claim(t, alice, 1);

        vm.prank(alice.owner);
        market.queueUnstake(alice.id, 1);
        _refuses(t, alice, 1, abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, alice.id, 1_000e18 - 1, 1_000e18));
    }

    function test_RevertWhen_Claim_BondNeedsQueuedStake() external {
        Terms memory t = _terms();
        t.bond = 6_000e18;
        _post(t);
        vm.prank(alice.owner);
        market.queueUnstake(alice.id, 5_000e18);
        _refuses(t, alice, 1, abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, alice.id, 5_000e18, 6_000e18));
        vm.prank(alice.owner);
        market.cancelUnstake(alice.id);
        _claim(t, alice, 1);
    }

    function test_RevertWhen_Claim_Paused() external {
        Terms memory t = _terms();
        _post(t);
        _pause();
        _refuses(t, alice, 1, abi.encodeWithSelector(LedgerFacts.PausedUntil.selector, uint40(_now() + 1 days)));
    }

    function test_Claim_RuntimeAndCurrencyClosedAfterThePostChangeNothing() external {
        Terms memory t = _inUsd(_terms());
        _post(t);
        vm.startPrank(governor);
        market.allowCurrency(address(usd), false);
        market.allowRuntime(1, false);
        vm.stopPrank();
        _claim(t, alice, 1);
    }

    function test_Claim_KeepsTheParametersItWasPostedWith() external {
        Terms memory t = _terms();
        t.window = 0;
        _post(t);
        vm.startPrank(governor);
        market.addParams(_harsher());
        vm.stopPrank();
        Work memory w = _claim(t, alice, 1);
        _show(w);
        _pass(1, 1);
        _settle(w);
        assertEq(_fees(address(dpu)), 0.03e18, "3 %, not 10 %");
    }

    function _harsher() private view returns (Params memory p) {
        p = _params();
        p.feeBps = 1_000;
    }
}
