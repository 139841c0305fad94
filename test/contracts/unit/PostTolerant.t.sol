// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Results that may differ need somebody who can doubt them.
contract PostTolerantTest is PanelTest {
    function _tolerant() private returns (Terms memory t) {
        t = _terms();
        (t.tolerant, t.window) = (true, 0);
    }

    function test_RevertWhen_Post_OneSeatMayShowAnything() external {
        Terms memory t = _tolerant();
        t.auditBps = 10_000;
        bytes32 id = market.jobId(t.pack());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.TermsInvalid.selector, id, bytes32("tolerant")));
        _post(t);
    }

    function test_Post_TolerantWhereItCanBeDoubted() external {
        Terms memory t = _tolerant();
        t.window = 1;
        _post(t);
        t = _tolerant();
        t.tolerant = false;
        _post(t);
        t = _panelTerms();
        t.tolerant = true;
        _post(t);
    }

    /// @dev A direct job trusts its node, or its requester signs; what the chain compares means nothing there.
    function test_Post_TolerantAndDirect() external {
        Terms memory t = _tolerant();
        t.direct = true;
        _post(t);
    }
}
