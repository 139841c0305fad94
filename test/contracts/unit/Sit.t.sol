// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {LeaseWordLib, Phase} from "src-contracts/types/Lease.sol";
import {Panel} from "src-contracts/types/Panel.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Taking a seat, and losing it by a missed deadline.
contract SitTest is PanelTest {
    /* THE FIRST SEAT */

    function test_Sit_OpensThePanel() external {
        Terms memory t = _panelTerms();
        bytes32 id = _post(t);
        (uint40 block_, uint40 posted) = (uint40(vm.getBlockNumber()), uint40(_now()));
        _pass(30 minutes, 2);
        uint8 flags = LeaseWordLib.SOLO | LeaseWordLib.SEAT;
        vm.expectEmit(address(market));
        emit JobFacts.LeaseClaimed(
            id, alice.id, 0, LeaseWordLib.claimed(flags, uint40(_now() + 5 minutes), alice.id, 1, 2e18, 0)
        );
        vm.prank(alice.operator);
        market.sit(t.pack(), 0, 9, alice.id, 0);

        Panel memory p;
        (p.flags, p.openedAt, p.movedAt) = (LeaseWordLib.SOLO, uint40(_now()), uint40(_now()));
        (p.postBlock, p.postedAt, p.rampFrom) = (block_, posted, posted);
        (p.count, p.sitting, p.asked) = (1, 1, 3);
        assertEq(abi.encode(market.panel(id, 0)), abi.encode(p));
        assertEq(uint8(_state(id)), uint8(JobState.Leased));
        assertEq(market.node(alice.id).locked, 8e18);
    }

    function test_Sit_OfPartsTakesTheNextShards() external {
        Terms memory t = _panelTerms();
        (t.shards, t.maxLease) = (5, 2);
        Work memory first = _opened(t);
        Work memory next = abi.decode(abi.encode(first), (Work));
        next.l.first = 2;
        next = _sit(next, bob);
        assertEq(next.l.count, 2);
        next.l.first = 4;
        next = _sit(next, bob);
        assertEq(next.l.count, 1, "what is left");
        assertEq(market.job(first.id).busy, 5);
        next.l.first = 5;
        _cannotSit(next, bob, abi.encodeWithSelector(JobFacts.NothingToClaim.selector, first.id));
        next.l.first = 1;
        _cannotSit(next, bob, abi.encodeWithSelector(JobFacts.NothingToClaim.selector, first.id));
    }

    function test_Sit_BoundAtOnceIsTheSameAsSittingAndThenCommitting() external {
        Work memory w = _opened(_panelTerms());
        _commit(w);
        uint256 at = vm.snapshotState();
        Work memory seat = _sit(w, bob);
        _commit(seat);
        bytes32 panel = keccak256(abi.encode(market.panel(w.id, 0), market.bench(w.id, 0)));
        vm.revertToState(at);
        seat = _sitBound(w, bob);
        assertEq(keccak256(abi.encode(market.panel(w.id, 0), market.bench(w.id, 0))), panel);
        assertEq(market.seatWord(w.id, 0, bob.id), 0, "nothing but the bench holds it");

        Work[] memory seats = new Work[](3);
        (seats[0], seats[1], seats[2]) = (w, seat, _sitBound(w, carol));
        _agree(seats);
        assertEq(_balance(address(dpu), carol.owner), 1.94e18);
        _assertSolvent(0);
    }

    function test_Sit_BoundAtOnceIsToldByOneEvent() external {
        Terms memory t = _panelTerms();
        bytes32 id = _post(t);
        _pass(30 minutes, 2);
        uint8 flags = LeaseWordLib.SOLO | LeaseWordLib.SEAT;
        vm.expectEmit(address(market));
        emit JobFacts.SeatCommitted(
            id, alice.id, 0, LeaseWordLib.claimed(flags, uint40(_now() + 5 minutes), alice.id, 1, 2e18, 0), "bound"
        );
        vm.recordLogs();
        vm.prank(alice.operator);
        market.sit(t.pack(), 0, 1, alice.id, "bound");
        assertEq(vm.getRecordedLogs().length, 1);
    }

    function test_RevertWhen_ClaimOrTakeOver_OfSeveralSeats() external {
        Terms memory t = _panelTerms();
        bytes32 id = _post(t);
        _pass(30 minutes, 2);
        bytes memory error = abi.encodeWithSelector(JobFacts.SeveralSeats.selector, id);
        vm.startPrank(alice.operator);
        vm.expectRevert(error);
        market.claim(t.pack(), alice.id, 1);
        vm.expectRevert(error);
        market.takeOver(t.pack(), 0, alice.id);
        vm.stopPrank();
    }

    /* JOINING */

    function test_Sit_LastSecondOfJoining() external {
        Work memory w = _opened(_panelTerms());
        vm.warp(_now() + 2 * uint256(w.t.exec));
        (bool now_, uint40 from) = market.drawn(w.t.pack(), 0, carol.id);
        assertTrue(now_);
        assertLt(from, _now());
        _sit(w, bob);
        vm.warp(_now() + 1);
        (now_, from) = market.drawn(w.t.pack(), 0, carol.id);
        assertFalse(now_);
        assertEq(from, 0);
        _cannotSit(w, carol, abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, uint40(_now() - 1)));
    }

    function test_Sit_AtTheSecondOfItsDraw() external {
        Work memory w = _opened(_panelTerms());
        uint40 posted = market.panel(w.id, 0).postedAt;
        Actor memory young = _node("young", STAKE);
        vm.warp(posted + 1);
        (bool now_, uint40 from) = market.drawn(w.t.pack(), 0, young.id);
        assertFalse(now_);
        assertEq(from, posted + 30 minutes, "it is younger than the job, so it waits until that is open to all");
        vm.warp(from);
        (now_, from) = market.drawn(w.t.pack(), 0, young.id);
        assertTrue(now_);
        assertEq(from, _now());
    }

    function test_RevertWhen_Sit_NotAllowed() external {
        Work[] memory seats = _seated(_panelTerms());
        _cannotSit(seats[0], dave, abi.encodeWithSelector(JobFacts.NoSeatFree.selector, seats[0].id, 0));

        Work memory w = _opened(_panelTerms());
        _cannotSit(w, alice, abi.encodeWithSelector(JobFacts.SeatedAlready.selector, w.id, 0, alice.id));
        _commit(w);
        _cannotSit(w, alice, abi.encodeWithSelector(JobFacts.SeatedAlready.selector, w.id, 0, alice.id));

        Work memory single = _claimed(_terms());
        _cannotSit(single, bob, abi.encodeWithSelector(JobFacts.OneSeat.selector, single.id));
    }

    function test_RevertWhen_Sit_NotByADrawnNodesOperator() external {
        Terms memory t = _panelTerms();
        _post(t);
        uint256 block_ = vm.getBlockNumber();
        _pass(2, 2);
        // A seed that draws alice at once and bob later.
        for (uint256 i;; ++i) {
            vm.setBlockhash(block_ + 1, keccak256(abi.encode(i)));
            (bool first,) = market.drawn(t.pack(), 0, alice.id);
            (bool second,) = market.drawn(t.pack(), 0, bob.id);
            if (first && !second) break;
        }
        Work memory w;
        (w.t, w.id) = (t, market.jobId(t.pack()));
        w = _sit(w, alice);
        (, uint40 from) = market.drawn(t.pack(), 0, bob.id);
        assertGt(from, _now());
        _cannotSit(w, bob, abi.encodeWithSelector(JobFacts.NotDrawn.selector, w.id, bob.id, from));
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, bob.id, bob.owner));
        vm.prank(bob.owner);
        market.sit(t.pack(), 0, 1, bob.id, 0);

        vm.warp(from);
        _sit(w, bob);
    }

    function test_RevertWhen_Sit_PausedOrOfAnotherRuntime() external {
        Work memory w = _opened(_panelTerms());
        Actor memory other = _register("another runtime", 4);
        _cannotSit(w, other, abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, w.id, other.id));
        _pause();
        _cannotSit(w, bob, abi.encodeWithSelector(LedgerFacts.PausedUntil.selector, uint40(_now() + 1 days)));
    }

    function test_Sit_TheDrawExpectsTwiceAsManyNodesAsSeats() external {
        Terms memory t = _panelTerms();
        (t.seats, t.expiry) = (5, uint40(_now() + 1 hours));
        _post(t);
        uint256 block_ = vm.getBlockNumber();
        _pass(2, 2);
        uint256 open;
        for (uint256 i; i < 200; ++i) {
            vm.setBlockhash(block_ + 1, keccak256(abi.encode(i)));
            (bool now_,) = market.drawn(t.pack(), 0, bob.id);
            if (now_) ++open;
        }
        // Five equal nodes, records at one half: each is in with 5 seats · 2 · 1/5 · 1/2 = 1.
        assertEq(open, 200);
    }

    /* COMMITTING */

    function test_CommitSeat_LastSecondByItsOperatorOnly() external {
        Work memory w = _opened(_panelTerms());
        vm.warp(uint256(w.l.deadline) + 1);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, w.l.deadline));
        vm.prank(alice.operator);
        market.commitSeat(w.id, w.l.pack(), keccak256("c"));
        vm.warp(w.l.deadline);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, alice.id, stranger));
        vm.prank(stranger);
        market.commitSeat(w.id, w.l.pack(), keccak256("c"));
        vm.expectRevert(abi.encodeWithSelector(JobFacts.CommitmentZero.selector, w.id, 0));
        vm.prank(alice.operator);
        market.commitSeat(w.id, w.l.pack(), 0);
        _commit(w);
        assertEq(market.panel(w.id, 0).committed, 1);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, w.id, 0, Phase.None, Phase.Claimed));
        vm.prank(alice.operator);
        market.commitSeat(w.id, w.l.pack(), keccak256("c"));
    }

    function test_RevertWhen_CommitSeat_OfAnotherClaim() external {
        Work memory w = _opened(_panelTerms());
        w.l.price += 1;
        vm.expectRevert(abi.encodeWithSelector(JobFacts.LeaseMismatch.selector, w.id, 0));
        vm.prank(alice.operator);
        market.commitSeat(w.id, w.l.pack(), keccak256("c"));
    }

    /* LAPSES */

    function test_Lapse_ASeatIsFreeForAnother() external {
        Work[] memory seats = _seated(_panelTerms());
        _commit(seats[0]);
        _commit(seats[2]);
        vm.warp(seats[1].l.deadline);
        vm.expectRevert(
            abi.encodeWithSelector(JobFacts.TooEarly.selector, seats[0].id, 0, uint40(seats[1].l.deadline + 1))
        );
        market.lapse(seats[1].t.pack(), seats[1].l.pack());
        vm.warp(uint256(seats[1].l.deadline) + 1);
        vm.expectEmit(address(market));
        emit JobFacts.LeaseLapsed(seats[0].id, bob.id, 0, 1.6e18, 0.64e18, 4_375, false);
        market.lapse(seats[1].t.pack(), seats[1].l.pack());
        _assertFree(bob, STAKE - 1.6e18);

        assertEq(market.seatWord(seats[0].id, 0, bob.id), 0, "nothing is left of its seat");
        // Its print stays on the bench.
        _cannotSit(seats[0], bob, abi.encodeWithSelector(JobFacts.SeatedAlready.selector, seats[0].id, 0, bob.id));

        seats[1] = _sit(seats[0], dave);
        assertEq(seats[1].l.bonus, 0.64e9);
        _commit(seats[1]);
        (seats[1], seats[2]) = (seats[2], seats[1]);
        _agree(seats);
        assertEq(_balance(address(dpu), dave.owner), 1.94e18 + 0.64e18);
        _assertSolvent(0);
    }

    function test_Lapse_BonusThatNobodyTakesIsTheTreasurys() external {
        Work[] memory seats = _seated(_panelTerms());
        Work[] memory two = new Work[](2);
        (two[0], two[1]) = (seats[0], seats[2]);
        _commitAll(two);
        vm.warp(_now() + 2 * uint256(seats[1].t.exec) + 1);
        market.lapse(seats[1].t.pack(), seats[1].l.pack());
        _agree(two);
        assertEq(_balance(address(dpu), treasury), 0.8e18, "what is not burnt of 1.6");
        _assertSolvent(0);
    }

    /// @dev A seat lapsed, nobody came instead, and the two others never showed what they were bound to: the next one has all that they left.
    function test_Lapse_BonusOfASilentPanelGoesToWhoeverTakesTheRangeOver() external {
        Terms memory t = _panelTerms();
        t.expiry += 2 hours;
        Work[] memory seats = _seated(t);
        Work[] memory two = new Work[](2);
        (two[0], two[1]) = (seats[0], seats[2]);
        _commitAll(two);
        vm.warp(_now() + 2 * uint256(t.exec) + 1);
        market.lapse(t.pack(), seats[1].l.pack());
        vm.warp(_now() + 10 minutes + 1);
        _agree(two, 3);
        assertEq(_read(seats[0].id, 0).bonus, 0.64e9 + 2 * 3.2e9, "40 % of 1.6 and of 8 twice");
        _assertSolvent(6e18 + 0.64e18 + 2 * 3.2e18);
        _pass(30 minutes, 2);
        Work memory next = _sit(seats[0], bob);
        assertEq(next.l.bonus, 7.04e9);
    }

    /// @dev The word of a seat goes with it, also that of the last: else it could be lapsed again once others sit there.
    function test_RevertWhen_Lapse_TheLastSeatAgain() external {
        Terms memory t = _panelTerms();
        t.expiry += 2 hours;
        Work memory seat = _opened(t);
        vm.warp(uint256(seat.l.deadline) + 1);
        market.lapse(seat.t.pack(), seat.l.pack());
        bytes memory gone =
            abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, seat.id, 0, Phase.None, Phase.Claimed);
        vm.expectRevert(gone);
        market.lapse(seat.t.pack(), seat.l.pack());
        _pass(30 minutes, 2);
        _sit(seat, bob);
        vm.expectRevert(gone);
        market.lapse(seat.t.pack(), seat.l.pack());
        _assertFree(alice, STAKE - 1.6e18);
    }

    function test_Lapse_OfEverySeatFreesTheRange() external {
        Work[] memory seats = _seated(_panelTerms());
        vm.warp(uint256(seats[0].l.deadline) + 1);
        for (uint256 i; i < 3; ++i) {
            market.lapse(seats[i].t.pack(), seats[i].l.pack());
            _assertFree(seats[i].n, STAKE - 1.6e18);
        }
        assertEq(uint8(_phase(seats[0])), uint8(Phase.Lapsed));
        _assertSolvent(6e18 + 3 * 0.64e18);
        _pass(1, 2);
        bytes memory failed = abi.encodeWithSelector(JobFacts.TakeOverByFailed.selector, seats[0].id, 0, carol.id);
        _cannotSit(seats[0], carol, failed);
        vm.warp(uint256(seats[0].t.expiry) + 1);
        market.close(seats[0].t.pack());
        market.sweep(seats[0].id, 0);
        _assertSolvent(0);
    }

    /// @dev Its bench is cleared: who had to go with the others may come back, and its commitments are the first.
    function test_Lapse_OfEverySeatClearsTheBench() external {
        Terms memory t = _panelTerms();
        t.expiry += 2 hours;
        Work[] memory seats = _seated(t);
        vm.warp(uint256(seats[0].l.deadline) + 1);
        for (uint256 i; i < 3; ++i) {
            market.lapse(t.pack(), seats[i].l.pack());
        }
        _pass(30 minutes, 2);
        Actor[3] memory again = [alice, bob, dave];
        for (uint256 i; i < 3; ++i) {
            seats[i] = _sit(seats[0], again[i]);
        }
        _commitAll(seats);
        _agree(seats);
        assertEq(_balance(address(dpu), bob.owner), 1.94e18);
        assertEq(_balance(address(dpu), alice.owner), 1.94e18 + 3 * 0.64e18, "it opened the panel anew");
        _assertSolvent(0);
    }

    function test_RevertWhen_Lapse_ASeatThatHasCommitted() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        vm.warp(_now() + 1 days);
        vm.expectRevert(
            abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, seats[0].id, 0, Phase.None, Phase.Claimed)
        );
        market.lapse(seats[0].t.pack(), seats[0].l.pack());
    }
}
