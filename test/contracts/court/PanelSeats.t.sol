// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CourtFacts} from "src-contracts/interfaces/ICourt.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Bound, Said} from "src-contracts/interfaces/IPanels.sol";
import {Shard, ShardLib, Verdict} from "src-contracts/types/Dispute.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Seats among several before a jury: a panel of three, and an audit. One shard, price 2, bond 8.
contract PanelSeatsTest is CourtTest {
    uint256 private constant PAID = 1.94e18;
    uint256 private constant HALF_PAID = 0.97e18;

    /// @dev A seat of a range, with what it showed.
    struct Seat {
        Work w;
        bytes32 salt;
        bytes32 commitment;
    }

    function _actors() private view returns (Actor[3] memory) {
        return [alice, bob, carol];
    }

    function _result(bool right) private pure returns (Result memory r, bytes32 hash) {
        hash = right ? keccak256("right") : keccak256("wrong");
        r = Result(ShardLib.leaf(0, hash, 5), 5, hash);
    }

    function _seat(Work memory base, Actor memory n, bool right, uint8 flags) private view returns (Seat memory s) {
        s.w = abi.decode(abi.encode(base), (Work));
        s.w.n = n;
        (s.w.hashes, s.w.units) = (new bytes32[](1), new uint64[](1));
        (s.w.r, s.w.hashes[0]) = _result(right);
        s.w.units[0] = 5;
        uint40 deadline = uint40(vm.getBlockTimestamp()) + 5 minutes;
        LeaseWord claimed = LeaseWordLib.claimed(flags, deadline, n.id, 1, uint96(PRICE), 0);
        s.w.l = Packing.readable(claimed, 0);
        s.salt = bytes32(uint256(n.id));
        s.commitment = market.commitmentOf(base.id, 0, 0, n.id, s.w.r, s.salt);
    }

    /// @dev Alice, bob and carol on one range, all revealed. `right` says who computed well.
    function _panel(bool[3] memory right) private returns (Seat[] memory seats) {
        Terms memory t = _terms(1);
        (t.node, t.seats) = (0, 3);
        Work memory base = _posted(t);
        _pass(30 minutes);
        seats = new Seat[](3);
        for (uint256 i; i < 3; ++i) {
            Actor memory n = _actors()[i];
            seats[i] = _seat(base, n, right[i], LeaseWordLib.SOLO | LeaseWordLib.SEAT);
            vm.prank(n.operator);
            market.sit(t.pack(), 0, 1, n.id, seats[i].commitment);
        }
        _revealAll(seats);
    }

    function _revealAll(Seat[] memory seats) private {
        Bound[] memory bound = new Bound[](seats.length);
        for (uint256 i; i < seats.length; ++i) {
            bound[i] = Bound(seats[i].w.l.word(), seats[i].commitment);
        }
        for (uint256 i; i < seats.length; ++i) {
            market.revealSeat(seats[i].w.t.pack(), 0, bound, i, seats[i].w.r, seats[i].salt);
        }
    }

    /// @dev Alice holds a lease that the requester has audited, bob checks it.
    function _audited(bool right, bool bobRight) private returns (Seat[] memory seats) {
        Terms memory t = _terms(1);
        (t.node, t.auditBps) = (0, 10_000);
        Work memory base = _posted(t);
        _pass(30 minutes);
        vm.prank(alice.operator);
        market.claim(t.pack(), alice.id, 1);
        seats = new Seat[](2);
        seats[0] = _seat(base, alice, right, LeaseWordLib.SOLO);
        vm.prank(alice.operator);
        market.commit(base.id, seats[0].w.l.pack(), seats[0].commitment);
        seats[0].w.l.commitment = seats[0].commitment;
        seats[0].w.l.committedBlock = uint40(vm.getBlockNumber());
        _pass(29 minutes);
        seats[1] = _seat(base, bob, bobRight, LeaseWordLib.SOLO | LeaseWordLib.SEAT);
        vm.prank(bob.operator);
        market.audit(t.pack(), seats[0].w.l.pack(), bob.id);
        vm.prank(bob.operator);
        market.commitSeat(base.id, seats[1].w.l.pack(), seats[1].commitment);
        _revealAll(seats);
    }

    function _saidBy(Seat[] memory seats) private pure returns (Said[] memory said) {
        said = new Said[](seats.length);
        for (uint256 i; i < seats.length; ++i) {
            said[i] = Said(seats[i].w.l.word(), seats[i].w.r, seats[i].commitment);
        }
    }

    function _agree(Seat[] memory seats) private {
        market.agree(seats[0].w.t.pack(), 0, _saidBy(seats));
    }

    function _judge(Seat memory seat, Verdict verdict) private returns (Suit memory s) {
        s = _challenged(seat.w, 0);
        _tried(s, verdict == Verdict.Undecided ? _split(Verdict.Valid, 3, Verdict.Invalid, 2) : _all(verdict, 5));
        _pass(31 minutes);
        _enforce(s);
    }

    function _seatPhase(Seat memory seat) private view returns (Phase) {
        return LeaseWord.wrap(market.seatWord(seat.w.id, 0, seat.w.n.id)).phase();
    }

    function _lost(Actor memory n) private view returns (uint256) {
        assertEq(_locked(n), 0, "nothing is locked");
        return STAKE - _stake(n);
    }

    function test_Panel_AnHonestMinorityIsSavedByAJury() external {
        Seat[] memory seats = _panel([true, false, false]);
        Suit memory one = _challenged(seats[1].w, 0);
        _tried(one, _all(Verdict.Invalid, 5));
        Suit memory two = _challenged(seats[2].w, 0);
        _tried(two, _all(Verdict.Invalid, 5));
        _pass(31 minutes);
        _enforce(one);
        _enforce(two);
        assertEq(uint8(_seatPhase(seats[1])), uint8(Phase.Convicted));
        assertEq(market.panel(seats[0].w.id, 0).convicted, 2);
        _agree(seats);
        assertEq(_balance(alice.owner), PAID);
        assertEq(_lost(alice), 0);
        assertEq(_lost(bob), BOND);
        assertEq(_lost(carol), BOND);
        assertEq(uint8(market.job(seats[0].w.id).state), uint8(JobState.Complete));
        _assertSolvent(0);
    }

    function test_Panel_AnUpheldSeatAgreesAsUsual() external {
        Seat[] memory seats = _panel([true, true, true]);
        _judge(seats[2], Verdict.Valid);
        assertEq(uint8(_seatPhase(seats[2])), uint8(Phase.Revealed));
        _agree(seats);
        assertEq(_balance(carol.owner), 2.5e18 + PAID);
        assertEq(_lost(carol), 0);
        _assertSolvent(0);
    }

    function test_Panel_AWithheldSeatIsPaidWithWhatIsLeftOfItsBond() external {
        Seat[] memory seats = _panel([true, true, true]);
        _judge(seats[0], Verdict.Withheld);
        _agree(seats);
        assertEq(_balance(alice.owner), PAID);
        assertEq(_lost(alice), 5 * FEE);
        _assertSolvent(0);
    }

    function test_Panel_AWithheldSeatThatDiffersLosesTheRest() external {
        Seat[] memory seats = _panel([false, true, true]);
        _judge(seats[0], Verdict.Withheld);
        _agree(seats);
        assertEq(_balance(alice.owner), 0);
        assertEq(_lost(alice), BOND);
        _assertSolvent(0);
    }

    function test_Panel_AnExcusedSeatIsPaidOutOfTheJob() external {
        Seat[] memory seats = _panel([true, true, true]);
        _judge(seats[0], Verdict.SpecFault);
        assertEq(uint8(_seatPhase(seats[0])), uint8(Phase.Excused));
        assertEq(_balance(alice.owner), HALF_PAID);
        assertEq(_balance(challenger), 995e18 + HALF_PAID);
        assertEq(_lost(alice), 0);
        _agree(seats);
        assertEq(_balance(bob.owner), PAID);
        assertEq(_balance(carol.owner), PAID);
        _assertSolvent(0);
    }

    function test_Panel_AnUndecidedSeatGetsHalf() external {
        Seat[] memory seats = _panel([true, true, true]);
        uint256 before = _balance(requester);
        _judge(seats[1], Verdict.Undecided);
        _agree(seats);
        assertEq(_balance(bob.owner), HALF_PAID);
        assertEq(_balance(requester), before + PRICE / 2, "the other half goes back");
        _assertSolvent(0);
    }

    function test_Panel_AllConvictedFreesTheRange() external {
        Seat[] memory seats = _panel([false, false, false]);
        Suit[3] memory suits;
        for (uint256 i; i < 3; ++i) {
            suits[i] = _challenged(seats[i].w, 0);
            _tried(suits[i], _all(Verdict.Invalid, 5));
        }
        _pass(31 minutes);
        for (uint256 i; i < 3; ++i) {
            _enforce(suits[i]);
        }
        _agree(seats);
        assertEq(uint8(_phase(seats[0].w)), uint8(Phase.Lapsed));
        assertEq(_lost(carol), BOND);
        _assertSolvent(3 * PRICE);
        _pass(20 minutes);
        vm.prank(jurors[0].operator);
        market.sit(seats[0].w.t.pack(), 0, 1, jurors[0].id, 0);
        for (uint256 i; i < 3; ++i) {
            assertEq(market.seatWord(seats[i].w.id, 0, seats[i].w.n.id), 0, "nothing is left of the old panel");
        }
    }

    function test_RevertWhen_Agree_AJuryStillHearsASeat() external {
        Seat[] memory seats = _panel([true, true, true]);
        _challenged(seats[1].w, 0);
        _pass(31 minutes);
        Said[] memory said = _saidBy(seats);
        bytes memory error =
            abi.encodeWithSelector(JobFacts.LeaseInPhase.selector, seats[0].w.id, 0, Phase.Disputed, Phase.Revealed);
        vm.expectRevert(error);
        market.agree(seats[0].w.t.pack(), 0, said);
    }

    /// @dev A jury deals with a seat's own bond; the bonus that another left to it is nobody's then.
    function test_Panel_TheBonusOfAConvictedSeatGoesToTheTreasury() external {
        Terms memory t = _terms(1);
        (t.node, t.seats) = (0, 3);
        Work memory base = _posted(t);
        _pass(30 minutes);
        vm.prank(alice.operator);
        market.sit(t.pack(), 0, 1, alice.id, 0);
        Seat memory gone = _seat(base, alice, true, LeaseWordLib.SOLO | LeaseWordLib.SEAT);
        vm.warp(vm.getBlockTimestamp() + 5 minutes + 1);
        market.lapse(t.pack(), gone.w.l.pack());

        _pass(30 minutes);
        Actor[3] memory actors = [bob, carol, jurors[JURORS - 1]];
        Seat[] memory seats = new Seat[](3);
        for (uint256 i; i < 3; ++i) {
            seats[i] = _seat(base, actors[i], i != 0, LeaseWordLib.SOLO | LeaseWordLib.SEAT);
            vm.prank(actors[i].operator);
            market.sit(t.pack(), 0, 1, actors[i].id, seats[i].commitment);
        }
        uint64 bonus = 0.64e9; // 40 % of a fifth of the bond, in gwei
        seats[0].w.l.bonus = bonus;
        _revealAll(seats);
        _judge(seats[0], Verdict.Invalid);
        uint256 before = _balance(treasury);
        _agree(seats);
        assertEq(_balance(treasury) - before, uint256(bonus) * 1 gwei);
        _assertSolvent(0);
    }

    /// @dev Part of the escrow is spent, so the range cannot be free again.
    function test_Panel_AllExcusedOrConvictedEndsUndone() external {
        Seat[] memory seats = _panel([false, false, false]);
        Suit[3] memory suits;
        for (uint256 i; i < 3; ++i) {
            suits[i] = _challenged(seats[i].w, 0);
            _tried(suits[i], i == 0 ? _all(Verdict.SpecFault, 5) : _all(Verdict.Invalid, 5));
        }
        _pass(31 minutes);
        for (uint256 i; i < 3; ++i) {
            _enforce(suits[i]);
        }
        uint256 before = _balance(requester);
        _agree(seats);
        assertEq(uint8(market.job(seats[0].w.id).state), uint8(JobState.Closed));
        assertEq(_balance(requester), before + 2 * PRICE);
        _assertSolvent(0);
    }

    function test_RevertWhen_ANeighbourWantsToBeJuror() external {
        Seat[] memory seats = _panel([true, true, true]);
        Suit memory s = _challenged(seats[0].w, 0);
        _pass(DRAWN);
        vm.prank(bob.operator);
        vm.expectRevert(abi.encodeWithSelector(CourtFacts.JurorIsParty.selector, s.key, bob.id));
        market.serve(s.w.t.pack(), s.w.l.pack(), 0, bob.id, keccak256("commitment"));
    }

    function test_Audit_AConvictedHolderLeavesTheAuditorAlone() external {
        Seat[] memory seats = _audited(false, true);
        _judge(seats[0], Verdict.Invalid);
        assertEq(uint8(_seatPhase(seats[0])), uint8(Phase.Convicted));
        _agree(seats);
        assertEq(_balance(bob.owner), PAID);
        assertEq(_lost(alice), BOND);
        assertEq(_lost(bob), 0);
        assertEq(uint8(market.job(seats[0].w.id).state), uint8(JobState.Complete));
        _assertSolvent(0);
    }

    function test_Audit_AConvictedAuditorLeavesTheHolderAlone() external {
        Seat[] memory seats = _audited(true, false);
        _judge(seats[1], Verdict.Invalid);
        _agree(seats);
        assertEq(_balance(alice.owner), PAID);
        assertEq(_lost(bob), BOND);
        _assertSolvent(0);
    }
}
