// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Result} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Helpers that walk a range with several seats through its life. Three seats at 2 DPU each (the ramp's end), bond 8, unless a test says
/// otherwise.
abstract contract PanelTest is MarketTest {
    Actor internal dave;
    Actor internal erin;

    function setUp() public override {
        super.setUp();
        dave = _node("dave", STAKE);
        erin = _node("erin", STAKE);
        _pass(1 hours, 100);
    }

    /* HELPERS */

    function _panelTerms() internal returns (Terms memory t) {
        t = _terms();
        (t.node, t.seats, t.window) = (0, 3, 0);
        t.expiry = uint40(_now() + 1 hours);
    }

    /// @dev Posted, open to everyone, alice in the first seat, bob and carol beside her.
    function _seated(Terms memory t) internal returns (Work[] memory seats) {
        seats = new Work[](3);
        seats[0] = _opened(t);
        seats[1] = _join(seats[0], bob);
        seats[2] = _join(seats[0], carol);
    }

    function _opened(Terms memory t) internal returns (Work memory w) {
        _post(t);
        _pass(30 minutes, 2);
        vm.prank(alice.operator);
        uint32 first = market.claim(t.pack(), alice.id, t.maxLease);
        w.t = t;
        w.id = market.jobId(t.pack());
        w.l.first = first;
        w.r = _result("right");
        return _seat(w, alice);
    }

    function _commitAll(Work[] memory seats) internal {
        for (uint256 i; i < seats.length; ++i) {
            _commit(seats[i]);
        }
    }

    function _parts(Work[] memory seats, bool[3] memory show)
        internal
        pure
        returns (Lease[] memory leases, Result[] memory results, bytes32[] memory salts)
    {
        leases = new Lease[](seats.length);
        results = new Result[](seats.length);
        salts = new bytes32[](seats.length);
        for (uint256 i; i < seats.length; ++i) {
            (leases[i], results[i]) = (seats[i].l, seats[i].r);
            if (i > 2 || show[i]) salts[i] = seats[i].salt;
        }
    }

    function _agree(Work[] memory seats, bool[3] memory show) internal {
        (Lease[] memory leases, Result[] memory results, bytes32[] memory salts) = _parts(seats, show);
        market.agree(seats[0].t.pack(), seats[0].l.first, Packing.pack(leases), results, salts);
    }

    function _agree(Work[] memory seats) internal {
        _agree(seats, [true, true, true]);
    }

    function _refuses(Work[] memory seats, bool[3] memory show, bytes memory error) internal {
        (Lease[] memory leases, Result[] memory results, bytes32[] memory salts) = _parts(seats, show);
        vm.expectRevert(error);
        market.agree(seats[0].t.pack(), seats[0].l.first, Packing.pack(leases), results, salts);
    }

    function _owners() internal view override returns (address[] memory owners) {
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
