// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Phase} from "src-contracts/types/Lease.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Taking a seat, and losing it by a missed deadline.
contract JoinTest is PanelTest {
    /* JOINING */

    function test_Join_LastSecond() external {
        Work memory w = _opened(_panelTerms());
        vm.warp(_now() + 2 * uint256(w.t.exec));
        _join(w, bob);
        vm.warp(_now() + 1);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.DeadlinePassed.selector, w.id, 0, uint40(_now() - 1)));
        vm.prank(carol.operator);
        market.join(w.t.pack(), 0, carol.id);
    }

    function test_RevertWhen_Join_NotAllowed() external {
        Work[] memory seats = _seated(_panelTerms());
        Terms memory t = seats[0].t;
        vm.expectRevert(abi.encodeWithSelector(JobFacts.NoSeatFree.selector, seats[0].id, 0));
        vm.prank(dave.operator);
        market.join(t.pack(), 0, dave.id);

        Work memory w = _opened(_panelTerms());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.SeatedAlready.selector, w.id, 0, alice.id, Phase.Claimed));
        vm.prank(alice.operator);
        market.join(w.t.pack(), 0, alice.id);

        Work memory single = _claimed(_terms());
        vm.expectRevert(
            abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, single.id, 0, Phase.Claimed, Phase.Seated)
        );
        vm.prank(bob.operator);
        market.join(single.t.pack(), 0, bob.id);
    }

    function test_RevertWhen_Join_NotByADrawnNodesOperator() external {
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
        Work memory w = _claim(t, alice, 1);
        (, uint40 from) = market.drawn(t.pack(), 0, bob.id);
        assertGt(from, _now());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.NotDrawn.selector, w.id, bob.id, from));
        vm.prank(bob.operator);
        market.join(t.pack(), 0, bob.id);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, bob.id, bob.owner));
        vm.prank(bob.owner);
        market.join(t.pack(), 0, bob.id);

        vm.warp(from);
        vm.prank(bob.operator);
        market.join(t.pack(), 0, bob.id);
    }

    function test_RevertWhen_Join_PausedOrOfAnotherRuntime() external {
        Work memory w = _opened(_panelTerms());
        Actor memory other = _register("another runtime", 4);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, w.id, other.id));
        vm.prank(other.operator);
        market.join(w.t.pack(), 0, other.id);
        _pause();
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.PausedUntil.selector, uint40(_now() + 1 days)));
        vm.prank(bob.operator);
        market.join(w.t.pack(), 0, bob.id);
    }

    function test_Join_TheDrawExpectsTwiceAsManyNodesAsSeats() external {
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

    /* LAPSES */

    function test_Lapse_ASeatIsFreeForAnother() external {
        Work[] memory seats = _seated(_panelTerms());
        _commit(seats[0]);
        _commit(seats[2]);
        vm.warp(uint256(seats[1].l.deadline) + 1);
        vm.expectEmit(address(market));
        emit JobFacts.LeaseLapsed(seats[0].id, bob.id, 0, 1.6e18, 0.64e18, 4_375, false);
        market.lapse(seats[1].t.pack(), seats[1].l.pack());
        _assertFree(bob, STAKE - 1.6e18);

        vm.expectRevert(abi.encodeWithSelector(JobFacts.SeatedAlready.selector, seats[0].id, 0, bob.id, Phase.Lapsed));
        vm.prank(bob.operator);
        market.join(seats[0].t.pack(), 0, bob.id);

        seats[1] = _join(seats[0], dave);
        assertEq(seats[1].l.bonus, 0.64e9);
        _commit(seats[1]);
        (seats[1], seats[2]) = (seats[2], seats[1]);
        _agree(seats);
        assertEq(_balance(address(dpu), dave.owner), 1.94e18 + 0.64e18);
        _assertSolvent(0);
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
        vm.warp(uint256(seats[0].t.expiry) + 1);
        market.close(seats[0].t.pack());
        market.sweep(seats[0].id, 0);
        _assertSolvent(0);
    }

    function test_RevertWhen_Lapse_ASeatThatHasCommitted() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        vm.warp(_now() + 1 days);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.SeatsAgree.selector, seats[0].id, 0));
        market.lapse(seats[0].t.pack(), seats[0].l.pack());
    }
}
