// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev What goes with several seats, and what does not.
contract PostSeatsTest is PanelTest {
    /* POSTING */

    function test_RevertWhen_Post_SeatsDoNotGoWithOtherTerms() external {
        Terms memory t = _panelTerms();
        t.direct = true;
        _cannotBePosted(t, "seats");
        t = _panelTerms();
        t.auditBps = 1;
        _cannotBePosted(t, "auditBps");
        t = _panelTerms();
        t.node = alice.id;
        _cannotBePosted(t, "node");
        t = _panelTerms();
        t.seats = 2;
        _cannotBePosted(t, "seats");
        t = _panelTerms();
        (t.maxPrice, t.bond) = (3e18, 2e18 - 1); // 4 · 3 / (2 · 3 seats) = 2
        _cannotBePosted(t, "bond");
        t.bond = 2e18;
        _post(t);
    }

    function test_AllowSeats_ClosesThemForNewJobsOnly() external {
        Work[] memory seats = _seated(_panelTerms());
        vm.expectEmit(address(market));
        emit LedgerFacts.SeatsAllowed(false);
        vm.prank(governor);
        market.allowSeats(false);
        _cannotBePosted(_panelTerms(), "seats");
        _post(_terms());
        _commitAll(seats);
        _agree(seats);
        vm.prank(governor);
        market.allowSeats(true);
        _post(_panelTerms());
    }

    function _cannotBePosted(Terms memory t, bytes32 field) private {
        bytes32 id = market.jobId(t.pack());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.TermsInvalid.selector, id, field));
        _post(t);
    }

    function test_RevertWhen_Order_AsksForSeveralSeats() external {
        Terms memory t = _panelTerms();
        bytes memory order = _order(t);
        bytes memory error =
            abi.encodeWithSelector(JobFacts.TermsInvalid.selector, market.jobId(t.pack()), bytes32("seats"));
        vm.expectRevert(error);
        vm.prank(alice.operator);
        market.claimOrder(t.pack(), order, alice.id, 1);
        bytes memory acceptance = _acceptance(t, 0, alice.id, _result("r"));
        vm.expectRevert(error);
        market.settleOrder(t.pack(), order, alice.id, _result("r"), acceptance);
    }
}
