// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {Phase} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Lease, Terms} from "test/contracts/lib/Readable.sol";

contract LapseTest is MarketTest {
    function _refuses(Work memory w, bytes memory error) private {
        vm.expectRevert(error);
        market.lapse(w.t.pack(), w.l.pack());
    }

    function test_Lapse_OfAWholeJobOpensItAgain() external {
        Work memory w = _claimed(_terms());
        vm.warp(uint256(w.l.deadline) + 1);
        uint256 supply = dpu.totalSupply();
        uint256 held = dpu.balanceOf(address(market));

        // Bond 8: 20 % slashed = 1.6, half burnt, 40 % for the retry, the rest to the treasury.
        vm.expectEmit(address(market));
        emit JobFacts.LeaseLapsed(w.id, alice.id, 0, 1.6e18, 0.64e18, 4_375, false);
        vm.expectEmit(address(market));
        emit NodeFacts.NodeSlashed(alice.id, 1.6e18, 0.8e18, 0.16e18, STAKE - 1.6e18);
        vm.prank(stranger);
        market.lapse(w.t.pack(), w.l.pack());

        _assertJob(w.id, Job(JobState.Open, uint40(_now()), uint40(vm.getBlockNumber()), 1, 0, 0, 2e18));
        (Phase phase, uint40 at) = market.lease(w.id, 0);
        assertEq(uint8(phase), uint8(Phase.Lapsed));
        assertEq(at, _now());
        assertEq(supply - dpu.totalSupply(), 0.8e18, "burnt");
        assertEq(dpu.balanceOf(address(market)) - held, 0.8e18, "treasury and retry");
        assertEq(_balance(address(dpu), treasury), 0.16e18);
        assertEq(market.node(alice.id).locked, 0);
        assertEq(market.node(alice.id).stake, STAKE - 1.6e18);
        (uint96 total,) = market.runtime(1);
        assertEq(total, 3 * STAKE - 1.6e18, "the draw's denominator");
        assertEq(dpu.balanceOf(market.surrogateOf(alice.owner)), STAKE - 1.6e18);
    }

    function test_Lapse_OfAPartLeavesTheOthers() external {
        Terms memory t = _many(5, 2);
        Work memory a = _claimed(t);
        _pass(1, 1);
        Work memory b = _claim(t, alice, 2);
        Job memory j = market.job(a.id);
        vm.warp(uint256(a.l.deadline) + 1);
        market.lapse(t.pack(), a.l.pack());

        j.busy = 2;
        _assertJob(a.id, j);
        assertEq(market.node(alice.id).locked, 16e18, "b's bond");
        assertEq(uint8(_phase(b)), uint8(Phase.Claimed));
    }

    function test_Lapse_OfACommittedLeaseCostsTheWholeBond() external {
        Work memory w = _committed(_terms());
        vm.warp(_now() + 10 minutes + 1);
        vm.expectEmit(address(market));
        emit JobFacts.LeaseLapsed(w.id, alice.id, 0, 8e18, 3.2e18, 2_500, true);
        market.lapse(w.t.pack(), w.l.pack());
        assertEq(market.node(alice.id).stake, STAKE - 8e18);
    }

    function test_Lapse_RoundsTheRetryToGweiAndTheRestToTheTreasury() external {
        Terms memory t = _inUsd(_terms());
        t.bond = 12_345_678_901;
        Work memory w = _lapsed(t);
        // 20 % = 2,469,135,780; half = 1,234,567,890 burnt; 40 % = 987,654,312, less than a gwei.
        assertEq(market.leaseWord(w.id, 0) & type(uint64).max, 0);
        assertEq(_balance(address(dpu), treasury), 2_469_135_780 - 1_234_567_890);
    }

    function test_Lapse_WithoutABondSlashesNothing() external {
        Terms memory t = _inUsd(_terms());
        t.bond = 0;
        uint256 supply = dpu.totalSupply();
        _lapsed(t);
        assertEq(dpu.totalSupply(), supply);
        assertEq(market.node(alice.id).stake, STAKE);
        assertEq(_record(alice), 4_375);
    }

    function test_Lapse_RecordNeverReachesZero() external {
        for (uint256 i; i < 20; ++i) {
            Terms memory t = _inUsd(_terms());
            (t.bond, t.window) = (0, 0);
            Work memory w = _committed(t);
            vm.warp(_now() + 10 minutes + 1);
            market.lapse(w.t.pack(), w.l.pack());
        }
        assertEq(_record(alice), 1);
    }

    function test_Lapse_OfACancelledJobClosesIt() external {
        Terms memory t = _many(5, 2);
        Work memory a = _claimed(t);
        Work memory b = _claim(t, alice, 1);
        vm.warp(_now() + 60);
        vm.prank(requester);
        market.cancel(t.pack());
        vm.warp(uint256(a.l.deadline) + 1);
        market.lapse(t.pack(), a.l.pack());
        assertEq(uint8(_state(a.id)), uint8(JobState.Cancelled));

        vm.expectEmit(address(market));
        emit JobFacts.JobClosed(a.id, 6e18);
        market.lapse(t.pack(), b.l.pack());
        assertEq(uint8(_state(a.id)), uint8(JobState.Closed));
    }

    function test_Lapse_ReachesStakeThatIsQueuedToLeave() external {
        Work memory w = _claimed(_terms());
        uint256 free = _free(alice);
        vm.prank(alice.owner);
        market.queueUnstake(alice.id, free);
        vm.warp(_now() + 7 days);
        vm.prank(alice.owner);
        market.unstake(alice.id, alice.owner);
        assertEq(market.node(alice.id).stake, 8e18, "the bond cannot leave");
        market.lapse(w.t.pack(), w.l.pack());
        assertEq(market.node(alice.id).stake, 6.4e18);
    }

    function test_Lapse_WorksWhilePaused() external {
        Work memory w = _claimed(_terms());
        _pause();
        vm.warp(uint256(w.l.deadline) + 1);
        market.lapse(w.t.pack(), w.l.pack());
    }

    function test_RevertWhen_Lapse_InTheLastSecondOfTheHolder() external {
        Work memory w = _claimed(_direct());
        vm.warp(w.l.deadline);
        _refuses(w, abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, w.l.deadline + 1));
        vm.warp(uint256(w.l.deadline) + 1);
        market.lapse(w.t.pack(), w.l.pack());
    }

    function test_RevertWhen_Lapse_InTheLastSecondOfTheReveal() external {
        Work memory w = _committed(_many(4, 2));
        uint256 closes = _now() + 10 minutes;
        vm.warp(closes);
        _refuses(w, abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, uint40(closes + 1)));
        vm.warp(closes + 1);
        market.lapse(w.t.pack(), w.l.pack());
    }

    function test_RevertWhen_Lapse_AnAuditMayStillRun() external {
        Terms memory t = _terms();
        t.auditBps = 10_000;
        Work memory w = _committed(t);
        uint256 closes = _now() + 40 minutes;
        vm.warp(closes + 1);
        _refuses(w, abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, 0));
        vm.roll(vm.getBlockNumber() + 2);
        vm.warp(closes);
        _refuses(w, abi.encodeWithSelector(JobFacts.TooEarly.selector, w.id, 0, uint40(closes + 1)));
        vm.warp(closes + 1);
        market.lapse(w.t.pack(), w.l.pack());
    }

    function test_RevertWhen_Lapse_InAnotherPhase() external {
        Work memory w = _revealed(_terms());
        vm.warp(_now() + 30 days);
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Revealed, Phase.Claimed));
        _settle(w);
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.None, Phase.Claimed));
        w = _lapsed(_terms());
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.None, Phase.Claimed));
        w = _lapsed(_many(4, 2));
        _refuses(w, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Lapsed, Phase.Claimed));
    }

    function test_RevertWhen_Lapse_LeaseIsNotTheOneHeld() external {
        Work[4] memory works =
            [_claimed(_terms()), _claimed(_many(4, 2)), _committed(_terms()), _committed(_many(4, 2))];
        vm.warp(_now() + 1 days);
        for (uint256 k; k < 4; ++k) {
            Work memory w = works[k];
            bytes memory error = abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, 0);
            bytes memory lease = abi.encode(w.l);
            for (uint256 i; i < (k < 2 ? 5 : 7); ++i) {
                w.l = abi.decode(lease, (Lease));
                if (i == 0) w.l.price += 1;
                if (i == 1) w.l.count += 1;
                if (i == 2) w.l.node = bob.id;
                if (i == 3) w.l.bonus += 1;
                if (i == 4) w.l.deadline -= 1;
                if (i == 5) w.l.commitment = 0;
                if (i == 6) w.l.committedBlock -= 1;
                _refuses(w, error);
            }
        }
    }

    /// @dev With the largest burn nothing is left for anyone; with the least the retry and the treasury share.
    function test_Lapse_AtTheCornersOfTheParameters() external {
        Params memory p = _params();
        (p.noShowBps, p.burnBps, p.retryBps) = (10_000, 10_000, 0);
        _lapsesAt(p, 8e18, 0, 0);
        (p.noShowBps, p.burnBps, p.retryBps) = (100, 1_000, 9_000);
        _lapsesAt(p, 0.008e18, 0.072e18, 0);
        (p.noShowBps, p.burnBps, p.retryBps) = (100, 1_000, 0);
        _lapsesAt(p, 0.008e18, 0, 0.072e18);
    }

    function _lapsesAt(Params memory p, uint256 burnt, uint256 bonus, uint256 kept) private {
        vm.prank(governor);
        uint16 version = market.addParams(p);
        Terms memory t = _terms();
        t.rules = _rules(version);
        uint256 supply = dpu.totalSupply();
        uint256 before = _balance(address(dpu), treasury);
        Work memory w = _lapsed(t);
        assertEq(supply - dpu.totalSupply(), burnt);
        assertEq((market.leaseWord(w.id, 0) & type(uint64).max) * 1 gwei, bonus);
        assertEq(_balance(address(dpu), treasury) - before, kept);
    }
}
