// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {GovernanceTest} from "test/contracts/governance/GovernanceTest.sol";
import {IDpuGovernor} from "test/contracts/governance/IDpuGovernance.sol";

/// @dev The guardian cancels, does nothing else, and ends by itself.
contract GuardianTest is GovernanceTest {
    function _unable(Motion memory m, address caller) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, m.id, caller);
    }

    function _refuses(Motion memory m, address caller) private {
        vm.expectRevert(_unable(m, caller));
        _cancel(m, caller);
    }

    function test_Cancel_BeforeTheVote() external {
        Motion memory m = _lowerFee();
        _propose(m);
        _cancel(m, warden);
        _assertState(m, IGovernor.ProposalState.Canceled);
    }

    function test_Cancel_DuringTheVote() external {
        Motion memory m = _lowerFee();
        _open(m);
        _vote(m, sue.owner, FOR);
        _cancel(m, warden);
        vm.expectRevert(_unexpected(m, IGovernor.ProposalState.Canceled, IGovernor.ProposalState.Active));
        _vote(m, lena, FOR);
    }

    /// @dev To the last: what waits in the timelock goes out of it, and nobody can execute it there.
    function test_Cancel_InTheTimelock() external {
        Motion memory m = _lowerFee();
        _queued(m);
        assertTrue(timelock.isOperationPending(_operation(m)));
        vm.warp(gov.proposalEta(m.id));
        _cancel(m, warden);
        assertFalse(timelock.isOperationPending(_operation(m)));
        _assertState(m, IGovernor.ProposalState.Canceled);
        vm.expectRevert(_unexpected(m, IGovernor.ProposalState.Canceled, IGovernor.ProposalState.Queued));
        _execute(m);
        (Rules rules,,,,) = market.config();
        assertEq(rules.version(), 1);
    }

    function test_RevertWhen_Cancel_ItWasExecuted() external {
        Motion memory m = _lowerFee();
        _enacted(m);
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorUnexpectedProposalState.selector,
                m.id,
                IGovernor.ProposalState.Executed,
                // every state but cancelled, expired and executed
                bytes32(uint256(0xff) ^ (1 << 2) ^ (1 << 6) ^ (1 << 7))
            )
        );
        _cancel(m, warden);
    }

    function test_RevertWhen_Cancel_ByAnybodyElse() external {
        Motion memory m = _lowerFee();
        _open(m);
        address[6] memory callers = [stranger, tom, sue.owner, guard, treasury, address(market)];
        for (uint256 i; i < callers.length; ++i) {
            _refuses(m, callers[i]);
        }
    }

    /// @dev Before the vote, a proposer may take his own proposal back.
    function test_Cancel_ByItsProposerBeforeTheVote() external {
        Motion memory m = _lowerFee();
        _propose(m);
        _refuses(m, lena);
        _cancel(m, tom);
        _assertState(m, IGovernor.ProposalState.Canceled);
    }

    /* TERM */

    function test_Term_IsOneYearToTheSecond() external {
        uint256 until = gov.proposalGuardianUntil();
        assertEq(until, T0 + 1 hours + 365 days);
        vm.warp(until - 1 hours);
        Motion memory m = _lowerFee();
        _propose(m);
        vm.warp(until);
        assertEq(gov.proposalGuardian(), warden);
        uint256 state = vm.snapshotState();
        _cancel(m, warden);
        vm.revertToState(state);

        vm.warp(until + 1);
        assertEq(gov.proposalGuardian(), address(0));
        _refuses(m, warden);
        _refuses(m, address(0xbeef));
    }

    /// @dev Without a guardian, a proposer may withdraw his proposal for as long as it was not executed.
    function test_Term_AfterItProposersWithdrawTheirOwn() external {
        vm.warp(gov.proposalGuardianUntil() + 1);
        Motion memory m = _lowerFee();
        _queued(m);
        _refuses(m, lena);
        _cancel(m, tom);
        assertFalse(timelock.isOperationPending(_operation(m)));
    }

    function test_Term_ANewOneBeginsWithAVoteOnly() external {
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, warden));
        vm.prank(warden);
        gov.setProposalGuardian(warden);

        address next = makeAddr("next");
        Motion memory m = _motion(address(gov), abi.encodeCall(gov.setProposalGuardian, (next)), "Another guardian");
        _queued(m);
        vm.warp(gov.proposalEta(m.id));
        // forge-lint: disable-next-line(unsafe-typecast)
        uint48 until = uint48(_now() + 365 days);
        vm.expectEmit(address(gov));
        emit IDpuGovernor.ProposalGuardianTermSet(next, until);
        _execute(m);
        assertEq(gov.proposalGuardian(), next);
        assertEq(gov.proposalGuardianUntil(), until);
        Motion memory another = _motion(address(market), abi.encodeCall(market.setMinStake, (5e18)), "Less stake");
        _open(another);
        _refuses(another, warden);
        _cancel(another, next);
    }

    /* WHAT THE GUARDIAN IS NOT */

    function test_RevertWhen_Guardian_ActsAsAnythingElse() external {
        Motion memory m = _lowerFee();
        vm.expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, warden, 0, THRESHOLD)
        );
        vm.prank(warden);
        gov.propose(m.targets, m.values, m.calls, m.description);

        _queued(m);
        bytes32 operation = _operation(m);
        bytes32 canceller = timelock.CANCELLER_ROLE();
        vm.expectRevert(abi.encodeWithSignature("AccessControlUnauthorizedAccount(address,bytes32)", warden, canceller));
        vm.prank(warden);
        timelock.cancel(operation);
    }

    /// @dev A pause stops posts and claims, never a vote.
    function test_Pause_DoesNotStopGovernance() external {
        Motion memory m = _lowerFee();
        _open(m);
        _pause();
        _vote(m, sue.owner, FOR);
        _vote(m, lena, FOR);
        _endVote(m);
        _queue(m);
        vm.warp(gov.proposalEta(m.id));
        _execute(m);
        (Rules rules,,,,) = market.config();
        assertEq(rules.version(), 2);
    }
}
