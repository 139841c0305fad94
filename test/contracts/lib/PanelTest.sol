// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Bound, Said} from "src-contracts/interfaces/IPanels.sol";
import {LeaseWord, LeaseWordLib, Result} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Helpers that walk a range with several seats through its life. Three seats at 2 DPU each (the ramp's end), bond 8, unless a test says
/// otherwise. A panel is a list of its seats in the order in which they commit.
abstract contract PanelTest is MarketTest {
    Actor internal dave;
    Actor internal erin;

    function setUp() public virtual override {
        super.setUp();
        dave = _node("dave", STAKE);
        erin = _node("erin", STAKE);
        _pass(1 hours, 100);
    }

    /* SITTING */

    function _panelTerms() internal returns (Terms memory t) {
        t = _terms();
        (t.node, t.seats, t.window) = (0, 3, 0);
        t.expiry = uint40(_now() + 1 hours);
    }

    /// @dev Posted, open to everyone, alice in the first seat, bob and carol beside her.
    function _seated(Terms memory t) internal returns (Work[] memory seats) {
        seats = new Work[](3);
        seats[0] = _opened(t);
        seats[1] = _sit(seats[0], bob);
        seats[2] = _sit(seats[0], carol);
    }

    function _opened(Terms memory t) internal returns (Work memory w) {
        _post(t);
        _pass(30 minutes, 2);
        w.t = t;
        w.id = market.jobId(t.pack());
        w.r = _result("right");
        return _sit(w, alice);
    }

    /// @dev `n` takes a seat on the range of `w`, of `maxLease` shards when it opens it.
    function _sit(Work memory w, Actor memory n) internal returns (Work memory seat) {
        vm.prank(n.operator);
        market.sit(w.t.pack(), w.l.first, w.t.maxLease, n.id, 0);
        return _seat(w, n);
    }

    /// @dev `n` takes a seat of a panel that stands, and commits to the result of `w` in the same call, at the price of `w`.
    function _sitBound(Work memory w, Actor memory n) internal returns (Work memory seat) {
        seat = abi.decode(abi.encode(w), (Work));
        seat.n = n;
        seat.salt = keccak256(abi.encode(w.id, n.id, "salt"));
        (seat.l.node, seat.l.bonus) = (n.id, 0);
        seat.l.price = w.l.price;
        seat.l.deadline = uint40(_now() + w.t.exec);
        seat.l.commitment = _commitmentOf(seat);
        vm.prank(n.operator);
        market.sit(w.t.pack(), w.l.first, w.t.maxLease, n.id, seat.l.commitment);
    }

    function _cannotSit(Work memory w, Actor memory n, bytes memory error) internal {
        vm.expectRevert(error);
        vm.prank(n.operator);
        market.sit(w.t.pack(), w.l.first, 1, n.id, 0);
    }

    function _seatWordOf(bytes32 id, uint32 first, uint32 nodeId) internal view returns (LeaseWord) {
        return LeaseWord.wrap(market.seatWord(id, first, nodeId));
    }

    /// @dev Everything of the seat of `n` on the range of `w`, with the result that everybody honest has.
    function _seat(Work memory w, Actor memory n) internal view returns (Work memory seat) {
        seat = abi.decode(abi.encode(w), (Work));
        seat.n = n;
        seat.l = Packing.readable(_seatWordOf(w.id, w.l.first, n.id), w.l.first);
        seat.salt = keccak256(abi.encode(w.id, n.id, "salt"));
    }

    function _commitAll(Work[] memory seats) internal {
        for (uint256 i; i < seats.length; ++i) {
            _commit(seats[i]);
        }
    }

    /* SHOWING */

    function _bound(Work[] memory seats) internal pure returns (Bound[] memory bound) {
        bound = new Bound[](seats.length);
        for (uint256 i; i < seats.length; ++i) {
            bound[i] = Bound(seats[i].l.word(), seats[i].l.commitment);
        }
    }

    function _revealSeat(Work[] memory seats, uint256 i) internal {
        Work memory w = seats[i];
        market.revealSeat(w.t.pack(), w.l.first, _bound(seats), i, w.r, w.salt);
    }

    function _cannotReveal(Work[] memory seats, uint256 i, bytes memory error) internal {
        Work memory w = seats[i];
        Bound[] memory bound = _bound(seats);
        vm.expectRevert(error);
        market.revealSeat(w.t.pack(), w.l.first, bound, i, w.r, w.salt);
    }

    /* AGREEING */

    /// @dev What each seat has to say: its result and salt, or, where `silent`, its commitment alone.
    function _said(Work[] memory seats, bool[] memory silent) internal pure returns (Said[] memory said) {
        said = new Said[](seats.length);
        for (uint256 i; i < seats.length; ++i) {
            said[i] = silent[i]
                ? Said(seats[i].l.word(), Result(0, 0, 0), seats[i].l.commitment)
                : Said(seats[i].l.word(), seats[i].r, seats[i].salt);
        }
    }

    /// @dev Bit i of `silent` is set when seat i says nothing.
    function _said(Work[] memory seats, uint256 silent) internal pure returns (Said[] memory) {
        bool[] memory list = new bool[](seats.length);
        for (uint256 i; i < seats.length; ++i) {
            list[i] = silent & (1 << i) != 0;
        }
        return _said(seats, list);
    }

    function _agree(Work[] memory seats, uint256 silent) internal {
        market.agree(seats[0].t.pack(), seats[0].l.first, _said(seats, silent));
    }

    function _agree(Work[] memory seats) internal {
        _agree(seats, 0);
    }

    function _refuses(Work[] memory seats, uint256 silent, bytes memory error) internal {
        Said[] memory said = _said(seats, silent);
        vm.expectRevert(error);
        market.agree(seats[0].t.pack(), seats[0].l.first, said);
    }

    /* AUDITS */

    /// @dev A seed that makes the audit's roll of the lease at `first` lie in `least … below − 1`.
    function _rollsBetween(bytes32 id, uint32 first, uint256 least, uint256 below)
        internal
        pure
        returns (bytes32 seed)
    {
        seed = keccak256("seed"); // zero would mean that the hash is out of reach
        while (true) {
            uint256 roll = uint256(keccak256(abi.encode(seed, id, uint256(first), "audit"))) % 10_000;
            if (roll >= least && roll < below) return seed;
            seed = keccak256(abi.encode(seed));
        }
    }

    /// @dev Lets the audit's draw of a lease that has just committed roll between `least` and `below`.
    function _roll(Work memory w, uint256 least, uint256 below) internal {
        _pass(2, 2);
        vm.setBlockhash(w.l.committedBlock + 1, _rollsBetween(w.id, w.l.first, least, below));
    }

    /// @dev The panel of two after `n` has sat down beside the holder of `w`.
    function _auditedBy(Work memory w, Actor memory n) internal returns (Work[] memory seats) {
        vm.prank(n.operator);
        market.audit(w.t.pack(), w.l.pack(), n.id);
        seats = new Work[](2);
        (seats[0], seats[1]) = (w, _seat(w, n));
    }

    function _cannotAudit(Work memory w, Actor memory n, bytes memory error) internal {
        vm.expectRevert(error);
        vm.prank(n.operator);
        market.audit(w.t.pack(), w.l.pack(), n.id);
    }

    /* READING */

    function _owners() internal view virtual override returns (address[] memory owners) {
        owners = new address[](5);
        (owners[0], owners[1], owners[2]) = (alice.owner, bob.owner, carol.owner);
        (owners[3], owners[4]) = (dave.owner, erin.owner);
    }

    /// @dev Everything that the Market holds in DPU belongs to somebody, or is the bonus of a range that waits.
    function _assertSolvent(uint256 bonus) internal view {
        address[] memory owners = _owners();
        uint256 sum = _fees(address(dpu)) + _balance(address(dpu), requester) + _balance(address(dpu), treasury) + bonus;
        for (uint256 i; i < owners.length; ++i) {
            sum += _balance(address(dpu), owners[i]);
        }
        assertEq(dpu.balanceOf(address(market)), sum, "every token has an owner");
    }

    function _stakeOf(Actor memory n) internal view returns (uint256) {
        return market.node(n.id).stake;
    }

    function _assertFree(Actor memory n, uint256 stake) internal view {
        assertEq(_stakeOf(n), stake, "stake");
        assertEq(market.node(n.id).locked, 0, "nothing is locked");
    }
}
