// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LeaseWord} from "src-contracts/types/Lease.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev What `priceAt` says of a panel is what its next seat is paid.
contract PanelPriceTest is PanelTest {
    function _sat(Terms memory t, Actor memory n) private returns (uint96) {
        vm.prank(n.operator);
        market.sit(t.pack(), 0, 1, n.id, 0);
        return _seatWordOf(market.jobId(t.pack()), 0, n.id).price();
    }

    /// @dev The whole job is one range: its slot holds the panel, whose ramp began with the post and not with the first seat.
    function test_PriceAt_OfAPanelThatIsTheWholeJob() external {
        Terms memory t = _panelTerms();
        (t.ramp, t.exec) = (2 hours, 1 hours); // 1 … 2 DPU
        _post(t);
        uint256 posted = _now();
        _pass(30 minutes, 2);
        assertEq(_sat(t, alice), 1.25e18);
        vm.warp(posted + 54 minutes);
        assertEq(market.priceAt(t.pack(), posted + 54 minutes), 1.45e18);
        assertEq(_sat(t, bob), 1.45e18);
        assertEq(market.priceAt(t.pack(), posted + 1 hours), 1.5e18);
        vm.warp(posted + 1 hours);
        assertEq(_sat(t, carol), 1.5e18);
    }

    /// @dev One range of two: the job keeps its own word.
    function test_PriceAt_OfAPanelThatIsAPart() external {
        Terms memory t = _panelTerms();
        (t.ramp, t.exec, t.shards, t.maxLease) = (2 hours, 1 hours, 2, 1);
        _post(t);
        uint256 posted = _now();
        _pass(30 minutes, 2);
        assertEq(_sat(t, alice), 1.25e18);
        vm.warp(posted + 54 minutes);
        assertEq(market.priceAt(t.pack(), posted + 54 minutes), 1.45e18);
        assertEq(_sat(t, bob), 1.45e18);
    }
}
