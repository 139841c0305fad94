// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Said} from "src-contracts/interfaces/IPanels.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {LeaseLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Outcome} from "src-contracts/types/Panel.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Every row of the table of outcomes in docs/assurance.md.
contract AgreeTest is PanelTest {
    /* A QUORUM */

    function test_Agree_EverybodyIsPaidWhenAllAgree() external {
        Work[] memory seats = _seated(_panelTerms());
        uint256 before = _balance(address(dpu), requester);
        _commitAll(seats);

        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Agreed, seats[0].r);
        _agree(seats);

        for (uint256 i; i < 3; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 1.94e18, "2 less 3 %");
            assertEq(_record(seats[i].n), 5_078, "5000 + 5000 / 64: the bond of 8 weighs fully");
            _assertFree(seats[i].n, STAKE);
        }
        assertEq(_fees(address(dpu)), 0.18e18);
        assertEq(_balance(address(dpu), requester), before, "escrow was 6, all spent");
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
        _assertSolvent(0);
    }

    function test_Agree_EarlySeatsAreCheaper() external {
        Terms memory t = _panelTerms();
        t.ramp = 60 minutes;
        Work[] memory seats = _seated(t); // half way up
        uint256 before = _balance(address(dpu), requester);
        _commitAll(seats);
        _agree(seats);
        uint256 price = seats[0].l.price;
        assertEq(price, 1.5e18);
        assertEq(_balance(address(dpu), requester) - before, 6e18 - 3 * price, "what it did not cost comes back");
    }

    function test_Agree_TheMinorityLosesItsBond() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[1].r = _result("wrong");
        _commitAll(seats);
        uint256 supply = dpu.totalSupply();

        vm.expectEmit(address(market));
        emit JobFacts.LeaseRevealed(seats[0].id, bob.id, 0, seats[1].r);
        vm.expectEmit(address(market));
        emit JobFacts.SeatFaulted(seats[0].id, bob.id, 0, 8e18, 2_500, false);
        _agree(seats);

        assertEq(_balance(address(dpu), alice.owner), 1.94e18);
        assertEq(_balance(address(dpu), carol.owner), 1.94e18);
        assertEq(_balance(address(dpu), bob.owner), 0);
        _assertFree(bob, STAKE - 8e18);
        assertEq(supply - dpu.totalSupply(), 4e18, "half is burnt");
        assertEq(_balance(address(dpu), treasury), 4e18, "the rest, since no retry is left to fund");
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
        _assertSolvent(0);
    }

    function test_Agree_UnitsThatDifferAreAnotherResult() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[2].r.units += 1;
        _commitAll(seats);
        _agree(seats);
        _assertFree(carol, STAKE - 8e18);
        assertEq(_balance(address(dpu), alice.owner), 1.94e18);
    }

    function test_Agree_AnotherManifestOfTheSameResultIsToldAndPaid() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[2].r.manifest = keccak256("packed in another way");
        _commitAll(seats);
        vm.expectEmit(address(market));
        emit JobFacts.LeaseRevealed(seats[0].id, carol.id, 0, seats[2].r);
        _agree(seats);
        assertEq(_balance(address(dpu), carol.owner), 1.94e18);
    }

    function test_Agree_WhoWithholdsLosesItsBond() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _revealSeat(seats, 0);
        _revealSeat(seats, 2);
        _pass(10 minutes, 1);
        _refuses(seats, 2, abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 1)));
        _pass(1, 1);

        vm.expectEmit(address(market));
        emit JobFacts.SeatFaulted(seats[0].id, bob.id, 0, 8e18, 2_500, true);
        _agree(seats, 2);

        assertEq(_balance(address(dpu), alice.owner), 1.94e18);
        assertEq(_balance(address(dpu), carol.owner), 1.94e18);
        _assertFree(bob, STAKE - 8e18);
        _assertSolvent(0);
    }

    function test_Agree_TwoOfThreeWhenNobodyElseCame() external {
        Terms memory t = _panelTerms();
        Work[] memory seats = new Work[](2);
        seats[0] = _opened(t);
        seats[1] = _sit(seats[0], bob);
        _commitAll(seats);
        vm.warp(_now() + 2 * uint256(t.exec));
        _refuses(seats, 0, abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(0)));
        vm.warp(_now() + 1);
        _agree(seats);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
        _assertSolvent(0);
    }

    /* NO QUORUM */

    function test_Agree_NobodyAgreesAndNobodyIsSlashed() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[1].r = _result("second");
        seats[2].r = _result("third");
        uint256 before = _balance(address(dpu), requester);
        _commitAll(seats);

        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Unresolved, seats[0].r);
        vm.expectEmit(address(market));
        emit JobFacts.LeaseSettled(seats[0].id, alice.id, 0, 0.97e18, 0.03e18, 5_000);
        _agree(seats);

        for (uint256 i; i < 3; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 0.97e18, "half, less 3 %");
            assertEq(_record(seats[i].n), 5_000);
            _assertFree(seats[i].n, STAKE);
        }
        assertEq(_balance(address(dpu), requester) - before, 3e18, "the other half");
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Closed), "never complete");
        _assertSolvent(0);
    }

    function test_Agree_OneHonestSeatAmongSilentOnesIsPaidHalf() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _revealSeat(seats, 1);
        _pass(10 minutes + 1, 1);
        _agree(seats, 5);

        assertEq(_balance(address(dpu), bob.owner), 0.97e18);
        _assertFree(alice, STAKE - 8e18);
        _assertFree(bob, STAKE);
        _assertFree(carol, STAKE - 8e18);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Closed));
        _assertSolvent(0);
    }

    function test_Agree_OneSeatAloneIsNoQuorum() external {
        Terms memory t = _panelTerms();
        Work[] memory seats = new Work[](1);
        seats[0] = _opened(t);
        _commitAll(seats);
        vm.warp(_now() + 2 * uint256(t.exec) + 1);
        _agree(seats);
        assertEq(_balance(address(dpu), alice.owner), 0.97e18);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Closed));
        _assertSolvent(0);
    }

    function test_Agree_ATieOfTwoIsNoQuorum() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[1].r = _result("wrong");
        _commitAll(seats);
        _revealSeat(seats, 0);
        _revealSeat(seats, 1);
        _pass(10 minutes + 1, 1);
        _agree(seats, 4);

        assertEq(_balance(address(dpu), alice.owner), 0.97e18);
        assertEq(_balance(address(dpu), bob.owner), 0.97e18);
        _assertFree(alice, STAKE);
        _assertFree(bob, STAKE);
        _assertFree(carol, STAKE - 8e18);
        _assertSolvent(0);
    }

    function test_Agree_FiveSeatsTwoTwoOneIsNoQuorum() external {
        Work[] memory seats = _five();
        (seats[1].r, seats[3].r, seats[4].r) = (_result("b"), _result("b"), _result("c"));
        _commitAll(seats);
        _agree(seats);
        for (uint256 i; i < 5; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 0.97e18);
        }
        _assertSolvent(0);
    }

    function test_Agree_FiveSeatsThreeAreAQuorum() external {
        Work[] memory seats = _five();
        (seats[0].r, seats[2].r) = (_result("b"), _result("c"));
        _commitAll(seats);
        _agree(seats);
        for (uint256 i; i < 5; ++i) {
            bool right = i != 0 && i != 2;
            assertEq(_balance(address(dpu), seats[i].n.owner), right ? 1.94e18 : 0);
            _assertFree(seats[i].n, right ? STAKE : STAKE - 8e18);
        }
        _assertSolvent(0);
    }

    function _five() private returns (Work[] memory seats) {
        Terms memory t = _panelTerms();
        t.seats = 5;
        seats = new Work[](5);
        seats[0] = _opened(t);
        Actor[4] memory others = [bob, carol, dave, erin];
        for (uint256 i; i < 4; ++i) {
            seats[i + 1] = _sit(seats[0], others[i]);
        }
    }

    /* NOBODY SPEAKS */

    function test_Agree_NobodySpeaksAndTheRangeIsFreeAgain() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _pass(10 minutes + 1, 1);

        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Silent, Result(0, 0, 0));
        _agree(seats, 7);

        _assertFree(alice, STAKE - 8e18);
        _assertFree(bob, STAKE - 8e18);
        _assertFree(carol, STAKE - 8e18);
        assertEq(uint8(_phase(seats[0])), uint8(Phase.Lapsed));
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Open));
        _assertSolvent(6e18 + 9.6e18); // the escrow, and 40 % of three bonds for whoever takes over
        _finishByOthers(seats[0]);
    }

    /// @dev Dave opens the range again with the bonus of the failed, and it ends well.
    function _finishByOthers(Work memory w) private {
        vm.warp(w.t.expiry);
        vm.roll(vm.getBlockNumber() + 2);
        Work[] memory seats = new Work[](2);
        seats[0] = _sit(w, dave);
        assertEq(seats[0].l.bonus, 9.6e9, "gwei");
        seats[1] = _sit(seats[0], alice); // it has lost its bond, and is as good as any other now
        _commitAll(seats);
        vm.warp(_now() + 2 * uint256(w.t.exec) + 1);
        _agree(seats);
        assertEq(_balance(address(dpu), dave.owner), 1.94e18 + 9.6e18);
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete));
        assertEq(market.leaseWord(w.id, 0), 0, "the lapsed range is gone");
        _assertSolvent(0);
    }

    /* RESULTS THAT MAY DIFFER */

    function test_Agree_TolerantResultsMayDiffer() external {
        Terms memory t = _panelTerms();
        t.tolerant = true;
        Work[] memory seats = _seated(t);
        (seats[1].r, seats[2].r) = (_result("nearly"), _result("also nearly"));
        _commitAll(seats);
        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Agreed, seats[0].r);
        _agree(seats);
        for (uint256 i; i < 3; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 1.94e18);
            _assertFree(seats[i].n, STAKE);
        }
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
        _assertSolvent(0);
    }

    /// @dev That a job cannot be done is never within the tolerance of a result, whoever commits first.
    function test_Agree_TolerantDoesNotCoverAFault() external {
        for (uint256 who; who < 3; ++who) {
            uint256 at = vm.snapshotState();
            Terms memory t = _panelTerms();
            t.tolerant = true;
            Work[] memory seats = _seated(t);
            (seats[1].r, seats[2].r) = (_result("nearly"), _result("also nearly"));
            seats[who].r = Result(LeaseLib.SPEC_FAULT, 0, 0);
            _commitAll(seats);
            _agree(seats);
            for (uint256 i; i < 3; ++i) {
                assertEq(_balance(address(dpu), seats[i].n.owner), i == who ? 0 : 1.94e18);
                _assertFree(seats[i].n, i == who ? STAKE - 8e18 : STAKE);
            }
            assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
            _assertSolvent(0);
            vm.revertToState(at);
        }
    }

    /* A JOB THAT CANNOT BE DONE */

    function test_Agree_AQuorumOfFaultsEndsTheRangeForTheKillFee() external {
        Terms memory t = _panelTerms();
        t.window = 120;
        Work[] memory seats = _seated(t);
        uint256 before = _balance(address(dpu), requester);
        for (uint256 i; i < 3; ++i) {
            seats[i].r = Result(LeaseLib.SPEC_FAULT, 0, 0);
        }
        _commitAll(seats);
        for (uint256 i; i < 3; ++i) {
            _revealSeat(seats, i);
        }
        _pass(121, 1);
        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Agreed, seats[0].r);
        _agree(seats);
        for (uint256 i; i < 3; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 0.97e18, "half the price, less 3 %");
            assertEq(_record(seats[i].n), 5_000, "nothing was computed");
            _assertFree(seats[i].n, STAKE);
        }
        assertEq(_balance(address(dpu), requester) - before, 3e18);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Closed));
        _assertSolvent(0);
    }

    function test_Agree_AFaultThatNobodyMayChallengeEarnsNothing() external {
        Work[] memory seats = _seated(_panelTerms());
        uint256 before = _balance(address(dpu), requester);
        for (uint256 i; i < 3; ++i) {
            seats[i].r = Result(LeaseLib.SPEC_FAULT, 0, 0);
        }
        _commitAll(seats);
        _agree(seats);
        for (uint256 i; i < 3; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 0);
            _assertFree(seats[i].n, STAKE);
        }
        assertEq(_balance(address(dpu), requester) - before, 6e18);
        _assertSolvent(0);
    }

    /* SHARED JOBS */

    function test_Agree_OneRangeOfSeveral() external {
        Terms memory t = _panelTerms();
        (t.shards, t.maxLease) = (4, 2);
        Work[] memory seats = _seated(t);
        assertEq(seats[0].l.count, 2);
        _commitAll(seats);
        _agree(seats);
        assertEq(_balance(address(dpu), bob.owner), 3.88e18, "two shards at 2, less 3 %");
        _assertFree(bob, STAKE);
        assertEq(market.job(seats[0].id).left, 24e18 - 12e18);
        assertEq(market.job(seats[0].id).done, 2);
        vm.warp(uint256(t.expiry) + 1);
        market.close(t.pack());
        _assertSolvent(0);
    }

    function test_Agree_UnresolvedRangeIsNeverDone() external {
        Terms memory t = _panelTerms();
        (t.shards, t.maxLease) = (4, 2);
        Work[] memory seats = _seated(t);
        (seats[1].r, seats[2].r) = (_result("second"), _result("third"));
        _commitAll(seats);
        _agree(seats);
        assertEq(market.job(seats[0].id).left, 24e18 - 6e18, "half of three prices for two shards");
        assertEq(market.job(seats[0].id).done, 0);
        assertEq(market.job(seats[0].id).busy, 0);
        assertEq(market.leaseWord(seats[0].id, 0), 0);
        _cannotSit(seats[0], dave, abi.encodeWithSelector(JobFacts.NothingToClaim.selector, seats[0].id));
        vm.warp(uint256(t.expiry) + 1);
        market.close(t.pack());
        _assertSolvent(0);
    }

    function test_Agree_EndsACancelledJobWithItsLastPanel() external {
        Terms memory t = _panelTerms();
        (t.shards, t.maxLease) = (4, 2);
        Work[] memory seats = _seated(t);
        uint256 before = _balance(address(dpu), requester);
        vm.prank(requester);
        market.cancel(t.pack());
        assertEq(_balance(address(dpu), requester) - before, 12e18, "the seats of two shards stay in escrow");
        _commitAll(seats);
        Said[] memory said = _said(seats, 0);
        vm.expectEmit(address(market));
        emit JobFacts.JobClosed(seats[0].id, 0);
        market.agree(t.pack(), 0, said);
        _assertSolvent(0);
    }
}
