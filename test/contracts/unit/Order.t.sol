// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {LeaseWordLib, Result} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";
import {Wallet} from "test/contracts/lib/Wallets.sol";

contract OrderTest is MarketTest {
    function _bring(Terms memory t, Actor memory n, uint16 count, bytes memory signature)
        private
        returns (Work memory)
    {
        vm.prank(n.operator);
        uint32 first = market.claimOrder(t.pack(), signature, n.id, count);
        return _work(t, n, first);
    }

    function _refuses(Terms memory t, Actor memory n, uint16 count, bytes memory signature, bytes memory error)
        private
    {
        vm.expectRevert(error);
        vm.prank(n.operator);
        market.claimOrder(t.pack(), signature, n.id, count);
    }

    function _close(Terms memory t, Actor memory n, Result memory r) private {
        bytes memory order = _order(t);
        bytes memory acceptance = _acceptance(t, 0, n.id, r);
        market.settleOrder(t.pack(), order, n.id, r, acceptance);
    }

    function _refusesToClose(Terms memory t, Actor memory n, bytes memory error) private {
        Result memory r = _result("r");
        bytes memory order = _order(t);
        bytes memory acceptance = _acceptance(t, 0, n.id, r);
        vm.expectRevert(error);
        market.settleOrder(t.pack(), order, n.id, r, acceptance);
    }

    /* CLAIM ORDER */

    function test_ClaimOrder_PostsAndClaimsAtOnce() external {
        Terms memory t = _terms();
        bytes32 id = market.jobId(t.pack());
        bytes memory signature = _order(t);
        uint256 before = _balance(address(dpu), requester);

        vm.expectEmit(address(market));
        emit JobFacts.JobPosted(id, requester, t.pack());
        vm.expectEmit(address(market));
        emit JobFacts.LeaseClaimed(
            id, alice.id, 0, LeaseWordLib.claimed(0x80, uint40(_now() + 300), alice.id, 1, 1e18, 0)
        );
        _bring(t, alice, 1, signature);

        assertEq(before - _balance(address(dpu), requester), 2e18);
        assertEq(uint8(_state(id)), uint8(JobState.Leased));
    }

    function test_ClaimOrder_OfAPartLeavesTheRestToTheDraw() external {
        Terms memory t = _many(5, 2);
        t.node = 0;
        Work memory w = _bring(t, bob, 2, _order(t));
        _assertJob(w.id, Job(JobState.Open, uint40(_now()), uint40(vm.getBlockNumber()), 2, 2, 0, 10e18));

        vm.expectRevert(abi.encodeWithSelector(JobFacts.NotDrawn.selector, w.id, carol.id, type(uint40).max));
        vm.prank(carol.operator);
        market.claim(t.pack(), carol.id, 2);
    }

    function test_ClaimOrder_ByTheFirstToBringItWhenNoNodeIsNamed() external {
        Terms memory t = _direct();
        t.node = 0;
        bytes memory signature = _order(t);
        Work memory w = _bring(t, carol, 1, signature);
        _refuses(
            t,
            bob,
            1,
            signature,
            abi.encodeWithSelector(JobFacts.JobInState.selector, w.id, JobState.Leased, JobState.None)
        );
    }

    function test_ClaimOrder_PriceRampBeginsAtTheStartOrNow() external {
        Terms memory t = _terms();
        assertEq(_bring(t, alice, 1, _order(t)).l.price, 1e18, "now");
        t = _terms();
        t.start = uint40(_now() - 60);
        assertEq(_bring(t, alice, 1, _order(t)).l.price, 1.1e18, "a minute after its start");
    }

    function test_ClaimOrder_OfARequesterThatIsAContract() external {
        Wallet wallet = new Wallet(requester);
        market.deposit(address(dpu), address(wallet), 10e18);
        Terms memory t = _terms();
        t.requester = address(wallet);
        _bring(t, alice, 1, _order(t));
    }

    function test_RevertWhen_ClaimOrder_SignatureIsNotTheRequesters() external {
        Terms memory t = _terms();
        bytes32 id = market.jobId(t.pack());
        bytes memory error = abi.encodeWithSelector(JobFacts.SignatureInvalid.selector, id, requester);
        (, uint256 key) = makeAddrAndKey("another");
        _refuses(t, alice, 1, _sign(key, id), error);
        _refuses(t, alice, 1, "", error);
        _refuses(t, alice, 1, _order(_terms()), error);
        t.requester = address(0);
        _refuses(
            t,
            alice,
            1,
            new bytes(65),
            abi.encodeWithSelector(JobFacts.SignatureInvalid.selector, market.jobId(t.pack()), address(0))
        );
    }

    function test_RevertWhen_ClaimOrder_AfterItWasVoided() external {
        Terms memory t = _terms();
        bytes32 id = market.jobId(t.pack());
        vm.expectEmit(address(market));
        emit JobFacts.JobCancelled(id, 0);
        vm.prank(requester);
        market.cancel(t.pack());
        _refuses(
            t,
            alice,
            1,
            _order(t),
            abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Closed, JobState.None)
        );
    }

    function test_RevertWhen_ClaimOrder_ReplayedAfterItsEnd() external {
        Terms memory t = _direct();
        bytes memory signature = _order(t);
        Work memory w = _bring(t, alice, 1, signature);
        _accept(w);
        _refuses(
            t,
            alice,
            1,
            signature,
            abi.encodeWithSelector(JobFacts.JobInState.selector, w.id, JobState.Complete, JobState.None)
        );
    }

    function test_RevertWhen_ClaimOrder_AlreadyPosted() external {
        Terms memory t = _terms();
        bytes32 id = _post(t);
        _refuses(
            t,
            alice,
            1,
            _order(t),
            abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Open, JobState.None)
        );
    }

    function test_RevertWhen_ClaimOrder_EscrowIsNotThere() external {
        Terms memory t = _terms();
        uint256 balance = _balance(address(dpu), requester);
        vm.prank(requester);
        market.withdraw(address(dpu), requester, balance);
        _refuses(
            t,
            alice,
            1,
            _order(t),
            abi.encodeWithSelector(LedgerFacts.BalanceTooLow.selector, address(dpu), requester, 0, 2e18)
        );
    }

    function test_RevertWhen_ClaimOrder_NotByAnEligibleOperator() external {
        Terms memory t = _terms();
        bytes32 id = market.jobId(t.pack());
        bytes memory signature = _order(t);
        _refuses(t, bob, 1, signature, abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, id, bob.id));
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOperator.selector, alice.id, stranger));
        vm.prank(stranger);
        market.claimOrder(t.pack(), signature, alice.id, 1);
    }

    function test_RevertWhen_ClaimOrder_CountIsWrong() external {
        Terms memory t = _many(5, 2);
        bytes32 id = market.jobId(t.pack());
        _refuses(t, alice, 0, _order(t), abi.encodeWithSelector(JobFacts.CountInvalid.selector, id, 0, 2));
        _refuses(t, alice, 3, _order(t), abi.encodeWithSelector(JobFacts.CountInvalid.selector, id, 3, 2));
    }

    function test_RevertWhen_ClaimOrder_TooEarlyOrTooLate() external {
        Terms memory t = _terms();
        t.start = uint40(_now() + 10);
        bytes32 id = market.jobId(t.pack());
        _refuses(t, alice, 1, _order(t), abi.encodeWithSelector(JobFacts.NotOpenYet.selector, id, t.start));
        vm.warp(t.expiry + 1);
        _refuses(t, alice, 1, _order(t), abi.encodeWithSelector(JobFacts.TermsInvalid.selector, id, bytes32("expiry")));
        vm.warp(t.expiry);
        _bring(t, alice, 1, _order(t));
    }

    function test_RevertWhen_ClaimOrder_EarlierJobIsNotComplete() external {
        Terms memory first = _terms();
        Terms memory t = _terms();
        t.afterJob = market.jobId(first.pack());
        bytes32 id = market.jobId(t.pack());
        _refuses(
            t, alice, 1, _order(t), abi.encodeWithSelector(JobFacts.TermsInvalid.selector, id, bytes32("afterJob"))
        );
        _post(first);
        _refuses(t, alice, 1, _order(t), abi.encodeWithSelector(JobFacts.AfterNotComplete.selector, id, t.afterJob));
        _accept(_claim(first, alice, 1));
        _bring(t, alice, 1, _order(t));
    }

    function test_RevertWhen_ClaimOrder_Paused() external {
        Terms memory t = _terms();
        _pause();
        _refuses(
            t, alice, 1, _order(t), abi.encodeWithSelector(LedgerFacts.PausedUntil.selector, uint40(_now() + 1 days))
        );
    }

    /* SETTLE ORDER */

    function test_SettleOrder_IsAWholeLifeInOneCall() external {
        Terms memory t = _inUsd(_many(5, 2));
        bytes32 id = market.jobId(t.pack());
        Result memory r = _result("whole");
        uint256 before = _balance(address(usd), requester);
        bytes memory order = _order(t);
        bytes memory acceptance = _acceptance(t, 0, alice.id, r);

        vm.expectEmit(address(market));
        emit JobFacts.JobPosted(id, requester, t.pack());
        vm.expectEmit(address(market));
        emit JobFacts.JobCompleted(id, 5e6);
        vm.expectEmit(address(market));
        emit JobFacts.LeaseAccepted(id, alice.id, 0, 4.85e6, 0.15e6, r);
        vm.prank(stranger);
        market.settleOrder(t.pack(), order, alice.id, r, acceptance);

        assertEq(before - _balance(address(usd), requester), 5e6);
        assertEq(_balance(address(usd), alice.owner), 4.85e6);
        assertEq(market.node(alice.id).locked, 0, "no bond");
        assertEq(uint8(_state(id)), uint8(JobState.Complete));
    }

    function test_SettleOrder_CanBeNamedAsEarlierJob() external {
        Terms memory first = _direct();
        _close(first, alice, _result("a"));
        Terms memory t = _direct();
        t.afterJob = market.jobId(first.pack());
        _close(t, alice, _result("b"));
    }

    function test_RevertWhen_SettleOrder_Twice() external {
        Terms memory t = _direct();
        _close(t, alice, _result("r"));
        bytes32 id = market.jobId(t.pack());
        _refusesToClose(
            t, alice, abi.encodeWithSelector(JobFacts.JobInState.selector, id, JobState.Complete, JobState.None)
        );
    }

    function test_RevertWhen_SettleOrder_ASignatureIsWrong() external {
        Terms memory t = _direct();
        Result memory r = _result("r");
        bytes memory order = _order(t);
        bytes memory acceptance = _acceptance(t, 0, alice.id, r);
        bytes memory error =
            abi.encodeWithSelector(JobFacts.SignatureInvalid.selector, market.jobId(t.pack()), requester);

        vm.expectRevert(error);
        market.settleOrder(t.pack(), acceptance, alice.id, r, acceptance);
        vm.expectRevert(error);
        market.settleOrder(t.pack(), order, alice.id, r, order);
        vm.expectRevert(error);
        market.settleOrder(t.pack(), order, bob.id, r, acceptance);
        vm.expectRevert(error);
        market.settleOrder(t.pack(), order, alice.id, _result("another"), acceptance);
    }

    function test_RevertWhen_SettleOrder_NodeIsUnknownOrNotTheNamedOne() external {
        Terms memory t = _direct();
        _refusesToClose(
            t, bob, abi.encodeWithSelector(JobFacts.NodeNotEligible.selector, market.jobId(t.pack()), bob.id)
        );
        t.node = 0;
        Actor memory ghost;
        ghost.id = 99;
        _refusesToClose(t, ghost, abi.encodeWithSelector(NodeFacts.NodeUnknown.selector, 99));
    }

    function test_RevertWhen_SettleOrder_TooEarlyOrAfterNothing() external {
        Terms memory t = _direct();
        t.start = uint40(_now() + 1);
        _refusesToClose(t, alice, abi.encodeWithSelector(JobFacts.NotOpenYet.selector, market.jobId(t.pack()), t.start));
        Terms memory first = _terms();
        _post(first);
        t.start = 0;
        t.afterJob = market.jobId(first.pack());
        _refusesToClose(
            t, alice, abi.encodeWithSelector(JobFacts.AfterNotComplete.selector, market.jobId(t.pack()), t.afterJob)
        );
    }

    function test_RevertWhen_SettleOrder_Paused() external {
        Terms memory t = _direct();
        _pause();
        _refusesToClose(t, alice, abi.encodeWithSelector(LedgerFacts.PausedUntil.selector, uint40(_now() + 1 days)));
    }
}
