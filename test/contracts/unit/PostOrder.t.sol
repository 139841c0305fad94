// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev A signed order that anyone may post: the requester needs no gas, and nothing but its signature binds it.
contract PostOrderTest is MarketTest {
    function test_PostOrder_ByAStranger() external {
        Terms memory t = _terms();
        (t.node, t.seats) = (0, 3);
        bytes32 id = market.jobId(t.pack());
        bytes memory signature = _order(t);
        uint256 before = _balance(address(dpu), requester);

        vm.expectEmit(address(market));
        emit JobFacts.JobPosted(id, requester, t.pack());
        vm.prank(stranger);
        assertEq(market.postOrder(t.pack(), signature), id);

        _assertJob(id, Job(JobState.Open, uint40(_now()), uint40(vm.getBlockNumber()), 0, 0, 0, 6e18));
        assertEq(_balance(address(dpu), requester), before - 6e18, "three seats at most 2 DPU each");
    }

    function test_RevertWhen_PostOrder_Twice() external {
        Terms memory t = _terms();
        bytes memory signature = _order(t);
        bytes32 id = market.postOrder(t.pack(), signature);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Open, JobState.None));
        market.postOrder(t.pack(), signature);
    }

    function test_RevertWhen_PostOrder_Paused() external {
        Terms memory t = _terms();
        bytes memory signature = _order(t);
        _pause();
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.PausedUntil.selector, uint40(_now() + 1 days)));
        market.postOrder(t.pack(), signature);
    }

    function test_RevertWhen_PostOrder_OtherTermsWereSigned() external {
        Terms memory t = _terms();
        bytes memory signature = _order(t);
        t.maxPrice += 1;
        bytes32 id = market.jobId(t.pack());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.SignatureInvalid.selector, id, requester));
        market.postOrder(t.pack(), signature);
    }

    function test_RevertWhen_PostOrder_TheRequesterVoidedIt() external {
        Terms memory t = _terms();
        bytes memory signature = _order(t);
        bytes32 id = market.jobId(t.pack());
        vm.prank(requester);
        market.cancel(t.pack());
        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Closed, JobState.None));
        market.postOrder(t.pack(), signature);
    }
}
