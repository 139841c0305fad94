// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";
import {BlockingToken, FalseToken, FeeToken, ReenteringToken, SilentToken} from "test/contracts/lib/Tokens.sol";

/// @dev What allow-listing the wrong token would cost: its own users something, everyone else nothing.
contract HostileTokensTest is MarketTest {
    function _allow(address token) private {
        vm.prank(governor);
        market.allowCurrency(token, true);
    }

    function test_FeeOnTransfer_IsCreditedAsReceived() external {
        FeeToken token = new FeeToken();
        _allow(address(token));
        token.mint(address(this), 1_000e6);
        token.approve(address(market), 1_000e6);
        market.deposit(address(token), stranger, 1_000e6);

        assertEq(_balance(address(token), stranger), 990e6);
        assertEq(token.balanceOf(address(market)), 990e6);
        vm.prank(stranger);
        market.withdraw(address(token), stranger, 990e6);
        assertEq(token.balanceOf(address(market)), 0);
    }

    function test_BlockedAccount_BlocksOnlyItself() external {
        BlockingToken token = new BlockingToken();
        _allow(address(token));
        token.mint(address(this), 100e6);
        token.approve(address(market), 100e6);
        market.deposit(address(token), requester, 100e6);
        token.setBlocked(alice.owner);

        Terms memory t = _inUsd(_direct());
        t.currency = address(token);
        Work memory w = _settled(t);
        assertEq(uint8(_state(w.id)), uint8(JobState.Complete), "nothing is pushed");
        t = _inUsd(_direct());
        (t.currency, t.node) = (address(token), bob.id);
        _settled(t);
        vm.prank(bob.owner);
        market.withdraw(address(token), bob.owner, 0.97e6);

        vm.startPrank(alice.owner);
        vm.expectRevert(abi.encodeWithSelector(BlockingToken.Blocked.selector, alice.owner));
        market.withdraw(address(token), alice.owner, 0.97e6);
        market.withdraw(address(token), stranger, 0.97e6);
        assertEq(token.balanceOf(stranger), 0.97e6, "to another address of its own");
    }

    function test_FalseReturn_IsARevert() external {
        FalseToken token = new FalseToken();
        _allow(address(token));
        vm.expectRevert(abi.encodeWithSignature("SafeERC20FailedOperation(address)", address(token)));
        market.deposit(address(token), stranger, 1);
    }

    function test_NoReturn_IsFine() external {
        SilentToken token = new SilentToken();
        _allow(address(token));
        token.mint(address(this), 10);
        market.deposit(address(token), stranger, 10);
        vm.prank(stranger);
        market.withdraw(address(token), stranger, 10);
        assertEq(token.balanceOf(stranger), 10);
    }

    function _reentering() private returns (ReenteringToken token) {
        token = new ReenteringToken();
        _allow(address(token));
        token.mint(address(this), 1_000e6);
        token.mint(address(token), 1_000e6);
        token.approve(address(market), type(uint256).max);
        vm.prank(address(token));
        token.approve(address(market), type(uint256).max);
        market.deposit(address(token), address(token), 100e6);
    }

    /// @dev Each guarded entry, called from inside a deposit and from inside a withdrawal.
    function test_Reentering_MeetsTheGuard() external {
        ReenteringToken token = _reentering();
        Work memory w = _claimed(_direct());
        vm.warp(uint256(w.l.deadline) + 1);
        bytes[6] memory calls = [
            abi.encodeCall(market.deposit, (address(token), address(token), 50e6)),
            abi.encodeCall(market.withdraw, (address(token), address(token), 100e6)),
            abi.encodeCall(market.lapse, (w.t.pack(), w.l.pack())),
            abi.encodeCall(market.stake, (alice.id, 1)),
            abi.encodeCall(market.unstake, (alice.id, stranger)),
            abi.encodeCall(market.delegateStake, (stranger))
        ];
        bytes memory guard_ = abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        for (uint256 i; i < calls.length; ++i) {
            if (i == 3 || i == 4) vm.prank(alice.owner);
            token.arm(address(market), calls[i]);
            market.deposit(address(token), stranger, 10e6);
            assertFalse(token.ok(), "inside a deposit");
            assertEq(token.answer(), guard_);

            token.arm(address(market), calls[i]);
            vm.prank(stranger);
            market.withdraw(address(token), stranger, 10e6);
            assertFalse(token.ok(), "inside a withdrawal");
            assertEq(token.answer(), guard_);
        }
        assertEq(_balance(address(token), stranger), 0);
        assertEq(token.balanceOf(address(market)), 100e6);
    }

    /// @dev The hot path is not guarded and need not be: it moves balances only, and none is half written when a token is called.
    function test_Reentering_TheHotPathKeepsTheBooks() external {
        ReenteringToken token = _reentering();
        Terms memory t = _inUsd(_direct());
        (t.currency, t.requester) = (address(token), address(token));
        token.arm(address(market), abi.encodeCall(market.post, (t.pack())));
        market.deposit(address(token), stranger, 10e6);

        assertTrue(token.ok());
        assertEq(_balance(address(token), stranger), 10e6, "what arrived, no more");
        assertEq(_balance(address(token), address(token)), 98e6);
        assertEq(market.job(market.jobId(t.pack())).left, 2e6);
        assertEq(token.balanceOf(address(market)), 110e6);
    }

    /// @dev `permit` calls an address that the caller names; the worst it can reach is a permit in the caller's own name.
    function test_Permit_OfAForeignContractChangesNothing() external {
        ReenteringToken token = new ReenteringToken();
        market.permit(address(token), 1, 0, 27, 0, 0);
        market.permit(address(market), 1, 0, 27, 0, 0);
        market.permit(address(dpu), 1, 0, 27, 0, 0);
        assertEq(dpu.allowance(address(this), address(market)), type(uint256).max - 0);
    }

    /// @dev A job in a token that later refuses everything still ends: only withdrawals of that token fail.
    function test_TokenThatDies_HoldsNoJobAndNoBond() external {
        BlockingToken token = new BlockingToken();
        _allow(address(token));
        token.mint(address(this), 100e6);
        token.approve(address(market), 100e6);
        market.deposit(address(token), requester, 100e6);
        Terms memory t = _inUsd(_many(2, 1));
        t.currency = address(token);
        Work memory w = _revealed(t);
        token.setBlocked(address(market));

        _pass(t.window + 1, 1);
        _settle(w);
        vm.warp(t.expiry + 1);
        market.close(t.pack());
        assertEq(market.node(alice.id).locked, 0);
        vm.expectRevert(abi.encodeWithSelector(JobFacts.JobInState.selector, w.id, JobState.Closed, JobState.Open));
        market.close(t.pack());
    }
}
