// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {GovernanceTest} from "test/contracts/governance/GovernanceTest.sol";

contract VotesTest is GovernanceTest {
    function _votes(address account) private view returns (uint256) {
        return gov.getVotes(account, _now() - 1);
    }

    function _surrogate(Actor memory n) private view returns (address) {
        return market.surrogateOf(n.owner);
    }

    function _cannotVoteAgain(Motion memory m, address voter) private {
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorAlreadyCastVote.selector, voter));
        _vote(m, voter, FOR);
    }

    /* STAKE */

    /// @dev Staking moves tokens from a wallet that votes to a surrogate that votes for the same owner: nothing is won or lost.
    function test_Stake_KeepsItsVote() external {
        address owner = sue.owner;
        _give(owner, 1_000_000e18, owner);
        _pass(1, 1);
        assertEq(_votes(owner), SUES + 1_000_000e18, "liquid and staked");
        vm.prank(owner);
        market.stake(sue.id, 1_000_000e18);
        _pass(1, 1);
        assertEq(_votes(owner), SUES + 1_000_000e18, "all staked");
        assertEq(dpu.balanceOf(_surrogate(sue)), SUES + 1_000_000e18);
        assertEq(dpu.balanceOf(owner), 0);
    }

    /// @dev The owner of the stake names who votes with it; the Market and the surrogate themselves never do.
    function test_Stake_VotesOnceForWhomTheOwnerNames() external {
        vm.prank(sue.owner);
        market.delegateStake(lena);
        _pass(1, 1);
        assertEq(_votes(lena), LENAS + SUES);
        assertEq(_votes(sue.owner), 0);
        assertEq(_votes(_surrogate(sue)), 0);
        assertEq(_votes(address(market)), 0);

        Motion memory m = _lowerFee();
        _open(m);
        assertEq(_vote(m, lena, FOR), LENAS + SUES);
        assertEq(_vote(m, sue.owner, FOR), 0, "the owner has nothing left to vote with");
        (, uint256 inFavour,) = gov.proposalVotes(m.id);
        assertEq(inFavour, LENAS + SUES);
    }

    /// @dev All votes together are what was delegated, and never more than the supply.
    function test_Stake_IsCountedOnceInTheSumOfAllVotes() external {
        dpu.delegate(address(this));
        vm.prank(sue.owner);
        market.delegateStake(tom);
        _pass(1, 1);
        address[9] memory voters =
            [address(this), sue.owner, lena, tom, tomsFriend, alice.owner, bob.owner, carol.owner, address(market)];
        uint256 sum;
        for (uint256 i; i < voters.length; ++i) {
            sum += _votes(voters[i]);
        }
        assertEq(sum, SUPPLY - dpu.balanceOf(address(market)), "escrow in the Market has no vote");
    }

    function test_Stake_StopsVotingWithTheNodeThatLeft() external {
        vm.prank(sue.owner);
        market.queueUnstake(sue.id, SUES);
        _pass(7 days, 1);
        assertEq(_votes(sue.owner), SUES, "queued stake is still at risk, and votes");
        vm.prank(sue.owner);
        market.unstake(sue.id, stranger);
        _pass(1, 1);
        assertEq(_votes(sue.owner), 0);
        assertEq(_votes(stranger), 0, "until the new holder delegates");
    }

    function test_Stake_ThatIsSlashedVotesNoMore() external {
        uint256 before = _votes(alice.owner);
        _lapsed(_terms());
        _pass(1, 1);
        assertEq(before - _votes(alice.owner), 1.6e18, "a fifth of the bond");
        assertEq(_votes(alice.owner), market.node(alice.id).stake);
    }

    function test_RevertWhen_Stake_IsDelegatedPastTheMarket() external {
        address surrogate = _surrogate(sue);
        vm.prank(stranger);
        (bool ok, bytes memory answer) = surrogate.call(abi.encodeWithSignature("delegate(address)", stranger));
        assertFalse(ok);
        assertEq(answer, abi.encodeWithSignature("NotMarket(address)", stranger));
    }

    /* CHECKPOINTS */

    /// @dev What counts is who held the votes when voting began. Tokens that move on afterwards vote no second time.
    function test_Tokens_ThatMoveVoteOnce() external {
        Motion memory m = _lowerFee();
        _open(m);
        assertEq(_vote(m, lena, FOR), LENAS);
        vm.prank(lena);
        dpu.transfer(stranger, LENAS);
        vm.prank(stranger);
        dpu.delegate(stranger);
        _pass(1, 1);
        assertEq(_votes(stranger), LENAS);
        assertEq(_vote(m, stranger, FOR), 0);
        _cannotVoteAgain(m, lena);
        (, uint256 inFavour,) = gov.proposalVotes(m.id);
        assertEq(inFavour, LENAS);
    }

    /// @dev The same by way of the stake: vote, stake under another delegate, vote with that one.
    function test_Tokens_ThatAreStakedAfterwardsVoteOnce() external {
        Motion memory m = _lowerFee();
        Actor memory mole = _register("mole", 2);
        _give(mole.owner, 5_000_000e18, mole.owner);
        _open(m);
        assertEq(_vote(m, mole.owner, FOR), 5_000_000e18);
        vm.startPrank(mole.owner);
        dpu.approve(address(market), 5_000_000e18);
        market.stake(mole.id, 5_000_000e18);
        market.delegateStake(stranger);
        vm.stopPrank();
        _pass(1, 1);
        assertEq(_vote(m, stranger, FOR), 0);
        _cannotVoteAgain(m, mole.owner);
    }

    /// @dev Delegating in the second in which voting begins still counts, one second later it does not.
    function test_Delegation_CountsToTheSecondOfTheSnapshot() external {
        Motion memory m = _lowerFee();
        dpu.transfer(stranger, 2e18);
        _propose(m);
        vm.warp(gov.proposalSnapshot(m.id));
        vm.prank(stranger);
        dpu.delegate(stranger);
        _pass(1, 1);
        dpu.transfer(stranger, 3e18);
        assertEq(_vote(m, stranger, FOR), 2e18);
    }

    /* BORROWED VOTES */

    /// @dev A loan that is paid back in the same second can do none of the four steps.
    function test_RevertWhen_Loan_OfTheWholeSupplyIsUsedAtOnce() external {
        Motion memory m = _lowerFee();
        uint256 loan = dpu.balanceOf(address(this));
        _give(stranger, loan, stranger);
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorInsufficientProposerVotes.selector, stranger, 0, gov.proposalThreshold()
            )
        );
        vm.prank(stranger);
        gov.propose(m.targets, m.values, m.calls, m.description);

        _propose(m);
        vm.expectRevert(_unexpected(m, IGovernor.ProposalState.Pending, IGovernor.ProposalState.Active));
        _vote(m, stranger, FOR);
        vm.expectRevert(_unexpected(m, IGovernor.ProposalState.Pending, IGovernor.ProposalState.Succeeded));
        _queue(m);
        vm.expectRevert(_unexpected(m, IGovernor.ProposalState.Pending, IGovernor.ProposalState.Queued));
        _execute(m);
    }

    /// @dev Nor does a loan that is taken while others vote.
    function test_Loan_TakenDuringTheVoteIsWorthNothing() external {
        Motion memory m = _lowerFee();
        _open(m);
        _give(stranger, dpu.balanceOf(address(this)), stranger);
        assertEq(_vote(m, stranger, FOR), 0);
        _endVote(m);
        _assertState(m, IGovernor.ProposalState.Defeated);
    }
}
