// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Bound, Said} from "src-contracts/interfaces/IPanels.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Both sides of each deadline of a panel's end, and calldata that is not what the bench has.
contract AgreeTimesTest is PanelTest {
    /* WHEN SEATS MAY SPEAK */

    function test_RevertWhen_RevealSeat_SomebodyMayStillCommit() external {
        Work[] memory seats = _seated(_panelTerms());
        Work[] memory two = new Work[](2);
        (two[0], two[1]) = (seats[0], seats[1]);
        _commitAll(two);
        bytes memory error = abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(0));
        _cannotReveal(two, 0, error);
        _refuses(two, 0, error);
        // Joining is over, but carol may still be about to commit until someone lapses her.
        vm.warp(_now() + 2 * uint256(seats[0].t.exec) + 1);
        _cannotReveal(two, 0, error);
        market.lapse(seats[2].t.pack(), seats[2].l.pack());
        _revealSeat(two, 0);
    }

    function test_RevealSeat_FromTheSecondAfterJoining() external {
        Work[] memory seats = new Work[](1);
        seats[0] = _opened(_panelTerms());
        _commitAll(seats);
        uint256 over = _now() + 2 * uint256(seats[0].t.exec) + 1;
        vm.warp(over - 1);
        _cannotReveal(seats, 0, abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(0)));
        uint256 at = vm.snapshotState();
        vm.warp(over);
        _revealSeat(seats, 0);
        vm.revertToState(at);
        vm.warp(over + 10 minutes + 1);
        bytes memory late =
            abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, seats[0].id, 0, uint40(over + 10 minutes));
        _cannotReveal(seats, 0, late);
        vm.warp(over + 10 minutes);
        _revealSeat(seats, 0);
    }

    function test_RevealSeat_OneByOneThenAgreeAfterTheWindowOfTheLast() external {
        Terms memory t = _panelTerms();
        t.window = 120;
        Work[] memory seats = _seated(t);
        _commitAll(seats);
        _refuses(seats, 0, abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 121)));
        vm.expectEmit(address(market));
        emit JobFacts.LeaseRevealed(seats[0].id, bob.id, 0, seats[1].r);
        _revealSeat(seats, 1);
        _revealSeat(seats, 0);
        _pass(60, 1);
        vm.prank(stranger);
        _revealSeat(seats, 2);
        LeaseWord shown = _seatWordOf(seats[0].id, 0, carol.id);
        assertEq(uint8(shown.phase()), uint8(Phase.Revealed));
        assertEq(shown.flags(), LeaseWordLib.SOLO | LeaseWordLib.SEAT);
        _pass(120, 1);
        _refuses(seats, 0, abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(_now() + 1)));
        _pass(1, 1);
        _agree(seats);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
        assertEq(_balance(address(dpu), bob.owner), 1.94e18);
        _assertSolvent(0);
    }

    function test_Agree_LastSecondOfTheSalts() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _pass(10 minutes + 1, 1);
        _refuses(seats, 0, abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, seats[0].id, 0, uint40(_now() - 1)));
        vm.warp(_now() - 1);
        _agree(seats);
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
    }

    function test_Agree_SomeShownBeforeAndSomeNow() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _revealSeat(seats, 1);
        _agree(seats);
        for (uint256 i; i < 3; ++i) {
            assertEq(_balance(address(dpu), seats[i].n.owner), 1.94e18);
        }
        _assertSolvent(0);
    }

    /* BAD CALLDATA */

    function test_RevertWhen_Agree_SeatsAreNotAllGivenOnceInOrder() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        bytes memory mismatch = abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, seats[0].id, 0);

        Work[] memory two = new Work[](2);
        (two[0], two[1]) = (seats[0], seats[1]);
        _refuses(two, 0, abi.encodeWithSelector(JobFacts.SeatsMissing.selector, seats[0].id, 0, 2, 3));
        Work[] memory four = new Work[](4);
        (four[0], four[1], four[2], four[3]) = (seats[0], seats[1], seats[2], seats[2]);
        _refuses(four, 0, abi.encodeWithSelector(JobFacts.SeatsMissing.selector, seats[0].id, 0, 4, 3));
        Work[] memory wrong = new Work[](3);
        (wrong[0], wrong[1], wrong[2]) = (seats[1], seats[0], seats[2]);
        _refuses(wrong, 0, mismatch);
        (wrong[0], wrong[1]) = (seats[0], seats[0]);
        _refuses(wrong, 0, mismatch);
        wrong[1] = abi.decode(abi.encode(seats[1]), (Work));
        wrong[1].r = _result("another than committed");
        _refuses(wrong, 0, mismatch);
        wrong[1] = abi.decode(abi.encode(seats[1]), (Work));
        wrong[1].salt = 0;
        _refuses(wrong, 0, mismatch);
    }

    /// @dev The bench binds a claim's every field, so nobody pays itself another price or the bond of another.
    function test_RevertWhen_Agree_AClaimIsForged() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        bytes memory mismatch = abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, seats[0].id, 0);
        bytes memory saved = abi.encode(seats[1].l);
        for (uint256 i; i < 6; ++i) {
            Lease memory l = abi.decode(saved, (Lease));
            if (i == 0) l.price += 1;
            if (i == 1) l.count += 1;
            if (i == 2) l.node = dave.id;
            if (i == 3) l.bonus += 1;
            if (i == 4) l.deadline += 1;
            if (i == 5) l.flags ^= 0x80;
            seats[1].l = l;
            _refuses(seats, 0, mismatch);
            _cannotReveal(seats, 0, mismatch);
        }
    }

    /// @dev Nobody can call a seat silent that has spoken, and take its bond.
    function test_RevertWhen_Agree_ASeatThatHasSpokenIsGivenAsSilent() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _revealSeat(seats, 1);
        _pass(10 minutes + 1, 1);
        _refuses(seats, 7, abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, seats[0].id, 0));
        _agree(seats, 5);
        _assertFree(bob, STAKE);
    }

    function test_RevertWhen_RevealSeat_NotWhatTheBenchHas() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        bytes memory mismatch = abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, seats[0].id, 0);
        Work[] memory two = new Work[](2);
        (two[0], two[1]) = (seats[0], seats[1]);
        _cannotReveal(two, 0, mismatch);
        (two[0], two[1]) = (seats[1], seats[0]);
        _cannotReveal(two, 0, mismatch);
        Bound[] memory bound = _bound(seats);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.SeatsMissing.selector, seats[0].id, 0, 3, 3));
        market.revealSeat(seats[0].t.pack(), 0, bound, 3, seats[0].r, seats[0].salt);
        seats[0].r.units ^= 1;
        _cannotReveal(seats, 0, mismatch);
        seats[0].r.units ^= 1;
        seats[0].salt = 0;
        _cannotReveal(seats, 0, mismatch);
    }

    function test_RevertWhen_RevealSeat_Twice() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _revealSeat(seats, 0);
        _cannotReveal(
            seats, 0, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, seats[0].id, 0, Phase.Revealed, Phase.None)
        );
    }

    function test_RevertWhen_RevealSeat_AResultWithoutARoot() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[0].r.root = 0;
        _commitAll(seats);
        _cannotReveal(seats, 0, abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, seats[0].id, 0));
    }

    function test_RevertWhen_Agree_Twice() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        _agree(seats);
        _refuses(
            seats, 0, abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, seats[0].id, 0, Phase.None, Phase.Seated)
        );
    }

    /* SEATS ARE NOT LEASES */

    /// @dev By `commit` a seat would be bound outside the bench, and hold everybody else's money for ever.
    function test_RevertWhen_CommitRevealSettleOrAccept_ASeatByItself() external {
        Work[] memory seats = _seated(_panelTerms());
        bytes memory error = abi.encodeWithSelector(JobFacts.SeatsAgree.selector, seats[0].id, 0);
        vm.expectRevert(error);
        vm.prank(alice.operator);
        market.commit(seats[0].id, seats[0].l.pack(), keccak256("c"));

        _commitAll(seats);
        vm.expectRevert(
            abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, seats[0].id, 0, Phase.None, Phase.Committed)
        );
        market.reveal(seats[0].t.pack(), seats[0].l.pack(), seats[0].r, seats[0].salt);
        _revealSeat(seats, 0);
        (Lease[] memory leases, Result[] memory results) = (new Lease[](1), new Result[](1));
        (leases[0], results[0]) = (seats[0].l, seats[0].r);
        vm.expectRevert(error);
        market.settle(seats[0].t.pack(), Packing.pack(leases), results);
        bytes memory signature = _acceptance(seats[0].t, 0, alice.id, seats[0].r);
        vm.expectRevert(error);
        market.accept(seats[0].t.pack(), seats[0].l.pack(), seats[0].r, signature);
    }

    function test_RevertWhen_CommitSeat_OfALease() external {
        Work memory w = _claimed(_terms());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.OneSeat.selector, w.id));
        vm.prank(alice.operator);
        market.commitSeat(w.id, w.l.pack(), keccak256("c"));
    }

    function test_RevertWhen_Agree_NoPanelStands() external {
        Work memory w = _committed(_terms());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.Committed, Phase.Seated));
        market.agree(w.t.pack(), 0, new Said[](1));
    }
}
