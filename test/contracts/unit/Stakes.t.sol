// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Node} from "src-contracts/types/Node.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";

/// @dev A surrogate without its code: what a test imports is compiled into a twin of its own, which would be deployed instead.
interface ISurrogate {
    error NotMarket(address caller);

    function initialize(address delegatee) external;
    function release(address to, uint256 amount) external;
    function delegate(address delegatee) external;
}

contract StakesTest is MarketTest {
    function _total(uint8 runtime) private view returns (uint96 total) {
        (total,) = market.runtime(runtime);
    }

    function test_Stake_GoesToTheOwnersSurrogateAndKeepsVoting() external {
        Actor memory n = _register("new", 2 | 8);
        dpu.transfer(n.owner, 50e18);
        vm.startPrank(n.owner);
        dpu.approve(address(market), 50e18);
        vm.expectEmit(address(market));
        emit NodeFacts.Staked(n.id, n.owner, 20e18, 20e18, uint40(_now()));
        market.stake(n.id, 20e18);
        market.stake(n.id, 30e18);
        vm.stopPrank();

        address surrogate = market.surrogateOf(n.owner);
        assertEq(dpu.balanceOf(surrogate), 50e18);
        assertEq(dpu.getVotes(n.owner), 50e18, "votes stay with the staker");
        assertEq(market.node(n.id).stake, 50e18);
        assertEq(_total(1), 3 * STAKE + 50e18);
        assertEq(_total(3), 50e18);
    }

    function test_Stake_OfTwoNodesOfOneOwnerSharesASurrogate() external {
        vm.prank(alice.owner);
        uint32 second = market.register(stranger, 4, 0, "");
        dpu.transfer(alice.owner, 5e18);
        vm.prank(alice.owner);
        market.stake(second, 5e18);
        assertEq(dpu.balanceOf(market.surrogateOf(alice.owner)), STAKE + 5e18);
        assertEq(market.node(alice.id).stake, STAKE);
        assertEq(market.node(second).stake, 5e18);
    }

    function test_RevertWhen_Stake_NotByTheOwnerOrNothingOrWithoutTokens() external {
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOwner.selector, alice.id, alice.operator));
        vm.prank(alice.operator);
        market.stake(alice.id, 1);
        vm.startPrank(alice.owner);
        vm.expectRevert(LedgerFacts.AmountZero.selector);
        market.stake(alice.id, 0);
        vm.expectRevert(abi.encodeWithSignature("ERC20InsufficientBalance(address,uint256,uint256)", alice.owner, 0, 1));
        market.stake(alice.id, 1);
        // A number that fits 96 bits only after truncation is still asked of the token in full.
        vm.expectRevert(
            abi.encodeWithSignature(
                "ERC20InsufficientBalance(address,uint256,uint256)", alice.owner, 0, uint256(1) << 96 | 1
            )
        );
        market.stake(alice.id, uint256(1) << 96 | 1);
    }

    function test_QueueUnstake_WaitsForTheUnbondingTime() external {
        uint40 at = uint40(_now() + 7 days);
        vm.expectEmit(address(market));
        emit NodeFacts.UnstakeQueued(alice.id, 4e18, 4e18, at);
        vm.startPrank(alice.owner);
        market.queueUnstake(alice.id, 4e18);

        vm.warp(at - 1);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.UnstakeTooEarly.selector, alice.id, at));
        market.unstake(alice.id, stranger);
        vm.warp(at);
        vm.expectEmit(address(market));
        emit NodeFacts.Unstaked(alice.id, stranger, 4e18, STAKE - 4e18);
        market.unstake(alice.id, stranger);

        assertEq(dpu.balanceOf(stranger), 4e18);
        assertEq(market.node(alice.id).stake, STAKE - 4e18);
        _assertNothingQueued();
        assertEq(_total(1), 3 * STAKE - 4e18);
        assertEq(dpu.getVotes(alice.owner), STAKE - 4e18);
    }

    function _assertNothingQueued() private view {
        Node memory n = market.node(alice.id);
        assertFalse(n.exiting);
        assertEq(n.queued, 0);
        assertEq(n.unstakeAt, 0);
    }

    function test_QueueUnstake_AgainRestartsTheClockForAll() external {
        vm.startPrank(alice.owner);
        market.queueUnstake(alice.id, 1e18);
        vm.warp(_now() + 6 days);
        market.queueUnstake(alice.id, 2e18);
        assertEq(market.node(alice.id).queued, 3e18);
        assertEq(market.node(alice.id).unstakeAt, _now() + 7 days);
    }

    function test_QueueUnstake_KeepsItsTimeWhenGovernanceChangesIt() external {
        vm.prank(alice.owner);
        market.queueUnstake(alice.id, 1e18);
        uint40 at = market.node(alice.id).unstakeAt;
        vm.prank(governor);
        market.setUnbonding(60 days);
        vm.warp(at);
        vm.prank(alice.owner);
        market.unstake(alice.id, alice.owner);
    }

    function test_RevertWhen_QueueUnstake_TooMuchNothingOrByAnother() external {
        _claimed(_terms());
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOwner.selector, alice.id, stranger));
        vm.prank(stranger);
        market.queueUnstake(alice.id, 1);
        vm.startPrank(alice.owner);
        vm.expectRevert(LedgerFacts.AmountZero.selector);
        market.queueUnstake(alice.id, 0);
        uint256 free = STAKE - 8e18;
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, alice.id, free, free + 1));
        market.queueUnstake(alice.id, free + 1);
        market.queueUnstake(alice.id, free);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.StakeTooLow.selector, alice.id, 0, 1));
        market.queueUnstake(alice.id, 1);
    }

    function test_CancelUnstake_PutsItBackToWork() external {
        vm.startPrank(alice.owner);
        market.queueUnstake(alice.id, 5e18);
        vm.expectEmit(address(market));
        emit NodeFacts.UnstakeCancelled(alice.id, 5e18);
        market.cancelUnstake(alice.id);
        _assertNothingQueued();
        assertEq(_free(alice), STAKE);

        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NothingQueued.selector, alice.id));
        market.cancelUnstake(alice.id);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NothingQueued.selector, alice.id));
        market.unstake(alice.id, alice.owner);
    }

    /// @dev Cancelling and queueing again must not skip the clock.
    function test_CancelUnstake_DoesNotShortenTheNextWait() external {
        vm.startPrank(alice.owner);
        market.queueUnstake(alice.id, 5e18);
        vm.warp(_now() + 6 days);
        market.cancelUnstake(alice.id);
        market.queueUnstake(alice.id, 5e18);
        uint40 at = uint40(_now() + 7 days);
        vm.warp(at - 1);
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.UnstakeTooEarly.selector, alice.id, at));
        market.unstake(alice.id, alice.owner);
    }

    function test_RevertWhen_Unstake_ToNobodyOrByAnother() external {
        vm.startPrank(alice.owner);
        market.queueUnstake(alice.id, 5e18);
        vm.warp(_now() + 7 days);
        vm.expectRevert(LedgerFacts.AddressZero.selector);
        market.unstake(alice.id, address(0));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(NodeFacts.NotNodeOwner.selector, alice.id, alice.operator));
        vm.prank(alice.operator);
        market.unstake(alice.id, alice.operator);
    }

    function test_Exit_OfStakeWorksWhilePaused() external {
        _pause();
        vm.startPrank(alice.owner);
        market.queueUnstake(alice.id, STAKE);
        vm.warp(_now() + 7 days);
        market.unstake(alice.id, alice.owner);
        assertEq(dpu.balanceOf(alice.owner), STAKE);
    }

    function test_DelegateStake_MovesTheVotes() external {
        address surrogate = market.surrogateOf(alice.owner);
        vm.expectEmit(address(market));
        emit NodeFacts.StakeDelegated(alice.owner, surrogate, stranger);
        vm.prank(alice.owner);
        market.delegateStake(stranger);
        assertEq(dpu.getVotes(stranger), STAKE);
        assertEq(dpu.getVotes(alice.owner), 0);
    }

    function test_DelegateStake_BeforeTheFirstStake() external {
        Actor memory n = _register("new", 2);
        vm.prank(n.owner);
        market.delegateStake(stranger);
        dpu.transfer(n.owner, 2e18);
        vm.startPrank(n.owner);
        dpu.approve(address(market), 2e18);
        market.stake(n.id, 2e18);
        assertEq(dpu.getVotes(stranger), 2e18);
    }

    function test_RevertWhen_Surrogate_IsCalledByAnyoneElse() external {
        ISurrogate surrogate = ISurrogate(market.surrogateOf(alice.owner));
        bytes memory error = abi.encodeWithSelector(ISurrogate.NotMarket.selector, alice.owner);
        vm.startPrank(alice.owner);
        vm.expectRevert(error);
        surrogate.release(alice.owner, 1);
        vm.expectRevert(error);
        surrogate.delegate(alice.owner);
        vm.expectRevert(abi.encodeWithSignature("InvalidInitialization()"));
        surrogate.initialize(alice.owner);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSignature("InvalidInitialization()"));
        vm.prank(address(market));
        surrogate.initialize(alice.owner);
    }

    function test_RevertWhen_Surrogate_TheImplementationIsInitialized() external {
        bytes memory args = abi.encode(address(market), address(dpu));
        ISurrogate implementation = ISurrogate(vm.deployCode("StakeSurrogate.sol:StakeSurrogate", args));
        vm.expectRevert(abi.encodeWithSignature("InvalidInitialization()"));
        vm.prank(address(market));
        implementation.initialize(stranger);
    }
}
