// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {Phase, Result} from "src-contracts/types/Lease.sol";
import {Outcome, Panel} from "src-contracts/types/Panel.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Every row of the table of outcomes in docs/assurance.md, and both sides of each deadline that it names.
contract AgreeTest is PanelTest {
    /* OUTCOMES */

    function test_Agree_EverybodyIsPaidWhenAllAgree() external {
        Work[] memory seats = _seated(_panelTerms());
        uint256 before = _balance(address(dpu), requester);
        _commitAll(seats);

        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Agreed, seats[0].r);
        _agree(seats);

        for (uint256 i; i < 3; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 1.94e18, "2 less 3 %");
            assertEq(_record(seats[i].n), 5_078, "5000 + 5000 / 64");
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

    function test_Agree_NobodyAgreesAndNobodyIsSlashed() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[1].r = _result("second");
        seats[2].r = _result("third");
        uint256 before = _balance(address(dpu), requester);
        _commitAll(seats);

        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Unresolved, seats[0].r);
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

    function test_Agree_WhoWithholdsLosesItsBond() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _reveal(seats[0]);
        _reveal(seats[2]);
        _pass(10 minutes, 1);
        bytes memory early = abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 1));
        _refuses(seats, [false, false, false], early);
        _pass(1, 1);

        vm.expectEmit(address(market));
        emit JobFacts.SeatFaulted(seats[0].id, bob.id, 0, 8e18, 2_500, true);
        _agree(seats, [false, false, false]);

        assertEq(_balance(address(dpu), alice.owner), 1.94e18);
        assertEq(_balance(address(dpu), carol.owner), 1.94e18);
        _assertFree(bob, STAKE - 8e18);
        _assertSolvent(0);
    }

    function test_Agree_OneHonestSeatAmongSilentOnesIsPaidHalf() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _reveal(seats[1]);
        _pass(10 minutes + 1, 1);
        _agree(seats, [false, false, false]);

        assertEq(_balance(address(dpu), bob.owner), 0.97e18);
        _assertFree(alice, STAKE - 8e18);
        _assertFree(bob, STAKE);
        _assertFree(carol, STAKE - 8e18);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Closed));
        _assertSolvent(0);
    }

    function test_Agree_ATieOfTwoIsNoQuorum() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[1].r = _result("wrong");
        _commitAll(seats);
        _reveal(seats[0]);
        _reveal(seats[1]);
        _pass(10 minutes + 1, 1);
        _agree(seats, [false, false, false]);

        assertEq(_balance(address(dpu), alice.owner), 0.97e18);
        assertEq(_balance(address(dpu), bob.owner), 0.97e18);
        _assertFree(alice, STAKE);
        _assertFree(bob, STAKE);
        _assertFree(carol, STAKE - 8e18);
        _assertSolvent(0);
    }

    function test_Agree_NobodySpeaksAndTheRangeIsFreeAgain() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _pass(10 minutes + 1, 1);

        vm.expectEmit(address(market));
        emit JobFacts.PanelEnded(seats[0].id, 0, Outcome.Silent, Result(0, 0, 0));
        _agree(seats, [false, false, false]);

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
        vm.prank(dave.operator);
        market.takeOver(w.t.pack(), 0, dave.id);
        Work[] memory seats = new Work[](2);
        seats[0] = _seat(w, dave);
        assertEq(seats[0].l.bonus, 9.6e9, "gwei");
        seats[1] = _join(seats[0], erin);
        _commitAll(seats);
        vm.warp(_now() + 2 * uint256(w.t.exec) + 1);
        _agree(seats);
        assertEq(_balance(address(dpu), dave.owner), 1.94e18 + 9.6e18);
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete));
        _assertSolvent(0);
    }

    function test_Agree_FiveSeatsTwoTwoOneIsNoQuorum() external {
        Terms memory t = _panelTerms();
        t.seats = 5;
        Work[] memory seats = new Work[](5);
        seats[0] = _opened(t);
        Actor[4] memory others = [bob, carol, dave, erin];
        for (uint256 i; i < 4; ++i) {
            seats[i + 1] = _join(seats[0], others[i]);
        }
        (seats[1].r, seats[3].r, seats[4].r) = (_result("b"), _result("b"), _result("c"));
        _commitAll(seats);
        _agree(seats);
        for (uint256 i; i < 5; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 0.97e18);
        }
        _assertSolvent(0);
    }

    /* TIMES */

    function test_RevertWhen_Reveal_SomebodyMayStillCommit() external {
        Work[] memory seats = _seated(_panelTerms());
        _commit(seats[0]);
        _commit(seats[1]);
        bytes memory error = abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(0));
        vm.expectRevert(error);
        market.reveal(seats[0].t.pack(), seats[0].l.pack(), seats[0].r, seats[0].salt);
        // Joining is over, but carol may still be about to commit until someone lapses her.
        vm.warp(_now() + 2 * uint256(seats[0].t.exec) + 1);
        vm.expectRevert(error);
        market.reveal(seats[0].t.pack(), seats[0].l.pack(), seats[0].r, seats[0].salt);
        market.lapse(seats[2].t.pack(), seats[2].l.pack());
        _reveal(seats[0]);
    }

    function test_Agree_TwoOfThreeWhenNobodyElseCame() external {
        Terms memory t = _panelTerms();
        Work[] memory seats = new Work[](2);
        seats[0] = _opened(t);
        seats[1] = _join(seats[0], bob);
        _commitAll(seats);
        vm.warp(_now() + 2 * uint256(t.exec));
        bytes memory error = abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(0));
        _refuses(seats, [true, true, true], error);
        vm.warp(_now() + 1);
        _agree(seats);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
    }

    function test_Agree_AfterTheWindowOfTheLastReveal() external {
        Terms memory t = _panelTerms();
        t.window = 120;
        Work[] memory seats = _seated(t);
        _commitAll(seats);
        bytes memory error = abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 121));
        _refuses(seats, [true, true, true], error);
        _reveal(seats[0]);
        _reveal(seats[1]);
        _pass(60, 1);
        _reveal(seats[2]);
        _pass(120, 1);
        error = abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 1));
        _refuses(seats, [false, false, false], error);
        _pass(1, 1);
        _agree(seats, [false, false, false]);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
    }

    function test_Agree_LastSecondOfTheSalts() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _pass(10 minutes + 1, 1);
        bytes memory error =
            abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, seats[0].id, 0, uint40(_now() - 1));
        _refuses(seats, [true, true, true], error);
        vm.warp(_now() - 1);
        _agree(seats);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
    }

    /* BAD CALLDATA */

    function test_RevertWhen_Agree_SeatsAreNotAllGivenOnceInOrder() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        bytes memory mismatch = abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, seats[0].id, 0);

        Work[] memory two = new Work[](2);
        (two[0], two[1]) = (seats[0], seats[1]);
        _refuses(two, [true, true, true], abi.encodeWithSelector(JobFacts.SeatsMissing.selector, seats[0].id, 0, 2, 3));
        Work[] memory wrong = new Work[](3);
        (wrong[0], wrong[1], wrong[2]) = (seats[1], seats[0], seats[2]);
        _refuses(wrong, [true, true, true], mismatch);
        (wrong[0], wrong[1]) = (seats[0], seats[0]);
        _refuses(wrong, [true, true, true], mismatch);
        wrong[1] = abi.decode(abi.encode(seats[1]), (Work));
        wrong[1].r = _result("another than committed");
        _refuses(wrong, [true, true, true], mismatch);
        wrong[1] = abi.decode(abi.encode(seats[1]), (Work));
        wrong[1].l.price += 1;
        _refuses(wrong, [true, true, true], mismatch);
    }

    function test_RevertWhen_Agree_LengthsDiffer() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        (Lease[] memory leases, Result[] memory results,) = _parts(seats, [true, true, true]);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LengthMismatch.selector, 3, 3));
        market.agree(seats[0].t.pack(), 0, Packing.pack(leases), results, new bytes32[](2));
    }

    function test_RevertWhen_Agree_Twice() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _agree(seats);
        _refuses(
            seats,
            [true, true, true],
            abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, seats[0].id, 0, Phase.None, Phase.Seated)
        );
    }

    function test_RevertWhen_SettleOrAccept_ASeatByItself() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _reveal(seats[0]);
        (Lease[] memory leases, Result[] memory results) = (new Lease[](1), new Result[](1));
        (leases[0], results[0]) = (seats[0].l, seats[0].r);
        bytes memory error = abi.encodeWithSelector(JobFacts.SeatsAgree.selector, seats[0].id, 0);
        vm.expectRevert(error);
        market.settle(seats[0].t.pack(), Packing.pack(leases), results);
        bytes memory signature = _acceptance(seats[0].t, 0, alice.id, seats[0].r);
        vm.expectRevert(error);
        market.accept(seats[0].t.pack(), seats[0].l.pack(), seats[0].r, signature);
    }

    /* SHARED JOBS */

    function test_Agree_OneRangeOfSeveral() external {
        Terms memory t = _panelTerms();
        (t.shards, t.maxLease) = (4, 2);
        Work[] memory seats = _seated(t);
        assertEq(seats[0].l.count, 2);
        Panel memory p = market.panel(seats[0].id, 0);
        assertEq(abi.encode(p.count, p.sitting, p.committed), abi.encode(2, 3, 0));
        _commitAll(seats);
        _agree(seats);
        assertEq(_balance(address(dpu), bob.owner), 3.88e18, "two shards at 2, less 3 %");
        assertEq(market.job(seats[0].id).left, 24e18 - 12e18);
        assertEq(market.job(seats[0].id).done, 2);
        vm.warp(uint256(t.expiry) + 1);
        market.close(t.pack());
        _assertSolvent(0);
    }
}
