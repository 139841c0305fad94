// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorProposalGuardian} from "@openzeppelin/contracts/governance/extensions/GovernorProposalGuardian.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {
    GovernorVotesQuorumFraction
} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Parameters} from "src-contracts/Parameters.sol";

/// @title The governor
/// @notice Proposals and votes of DPU, liquid or staked. OpenZeppelin's, with bounds for every number that a vote may turn and a guardian
/// whose term ends by itself.
/// @dev VOTES: OpenZeppelin's checkpoints only, at the second in which voting begins; a staked token votes through its surrogate.
/// WINDOWS: each may be turned down to a quarter of its first value and no further, so that no vote can open the way to a
/// vote that nobody has time to see. ROLES: the timelock executes and owns these settings; the guardian may cancel, never
/// propose or hasten, and only a vote can give it another term.
contract DpuGovernor is
    Governor,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotes,
    GovernorVotesQuorumFraction,
    GovernorPreventLateQuorum,
    GovernorProposalGuardian,
    GovernorTimelockControl
{
    /// @notice Emitted when `guardian` was appointed, until the second `until` at the latest.
    event ProposalGuardianTermSet(address indexed guardian, uint48 until);

    /* IMMUTABLES */

    /// @notice First values of the windows, in seconds: the measure of their lower bounds.
    uint48 public immutable FIRST_VOTING_DELAY;
    uint32 public immutable FIRST_VOTING_PERIOD;
    uint48 public immutable FIRST_LATE_QUORUM_EXTENSION;

    /* STORAGE */

    /// @notice Last second of the guardian's term.
    uint48 public proposalGuardianUntil;

    /// @param token DPU.
    /// @param timelock_ Executes what was voted; the governor must be its only proposer.
    /// @param guardian May cancel proposals for a term of one year.
    /// @param delay Seconds from a proposal to the begin of its vote.
    /// @param period Seconds of voting.
    /// @param extension Seconds of voting that are left at least once quorum is reached.
    constructor(
        IVotes token,
        TimelockController timelock_,
        address guardian,
        uint48 delay,
        uint32 period,
        uint48 extension
    )
        Governor("DPU Governor")
        GovernorSettings(delay, period, Parameters.PROPOSAL_THRESHOLD)
        GovernorVotes(token)
        GovernorVotesQuorumFraction(Parameters.QUORUM_PERCENT)
        GovernorPreventLateQuorum(extension)
        GovernorTimelockControl(timelock_)
    {
        FIRST_VOTING_DELAY = delay;
        FIRST_VOTING_PERIOD = period;
        FIRST_LATE_QUORUM_EXTENSION = extension;
        _setProposalGuardian(guardian);
    }

    /* VIEWS */

    /// @notice Who may cancel any proposal: the guardian in its term, afterwards nobody (zero).
    function proposalGuardian() public view override returns (address) {
        return clock() <= proposalGuardianUntil ? super.proposalGuardian() : address(0);
    }

    /// @inheritdoc Governor
    function state(uint256 proposalId) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        return super.state(proposalId);
    }

    /// @inheritdoc Governor
    function proposalDeadline(uint256 proposalId)
        public
        view
        override(Governor, GovernorPreventLateQuorum)
        returns (uint256)
    {
        return super.proposalDeadline(proposalId);
    }

    /// @inheritdoc Governor
    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.proposalNeedsQueuing(proposalId);
    }

    /// @inheritdoc Governor
    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    /* BOUNDS */

    function _setVotingDelay(uint48 value) internal override {
        Parameters.checkGovernanceWindow("votingDelay", value, FIRST_VOTING_DELAY);
        super._setVotingDelay(value);
    }

    function _setVotingPeriod(uint32 value) internal override {
        Parameters.checkGovernanceWindow("votingPeriod", value, FIRST_VOTING_PERIOD);
        super._setVotingPeriod(value);
    }

    function _setLateQuorumVoteExtension(uint48 value) internal override {
        Parameters.checkGovernanceWindow("lateQuorumExtension", value, FIRST_LATE_QUORUM_EXTENSION);
        super._setLateQuorumVoteExtension(value);
    }

    function _setProposalThreshold(uint256 value) internal override {
        Parameters.checkProposalThreshold(value);
        super._setProposalThreshold(value);
    }

    function _updateQuorumNumerator(uint256 value) internal override {
        Parameters.checkQuorum(value);
        super._updateQuorumNumerator(value);
    }

    /// @dev Every appointment starts a new term; nobody is appointed by zero.
    function _setProposalGuardian(address guardian) internal override {
        uint48 until = clock() + Parameters.GUARDIAN_TERM;
        proposalGuardianUntil = until;

        super._setProposalGuardian(guardian);
        emit ProposalGuardianTermSet(guardian, until);
    }

    /* COMPOSITION */

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    function _validateCancel(uint256 proposalId, address caller)
        internal
        view
        override(Governor, GovernorProposalGuardian)
        returns (bool)
    {
        return super._validateCancel(proposalId, caller);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}
