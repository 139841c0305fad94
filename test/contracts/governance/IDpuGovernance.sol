// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

/// @dev The governor as tests see it.
interface IDpuGovernor is IGovernor {
    event ProposalExtended(uint256 indexed proposalId, uint64 extendedDeadline);
    event ProposalGuardianTermSet(address indexed guardian, uint48 until);

    function token() external view returns (address);

    function timelock() external view returns (address);

    function quorumNumerator() external view returns (uint256);

    function quorumDenominator() external view returns (uint256);

    function lateQuorumVoteExtension() external view returns (uint48);

    function proposalGuardian() external view returns (address);

    function proposalGuardianUntil() external view returns (uint48);

    function proposalVotes(uint256 proposalId)
        external
        view
        returns (uint256 against, uint256 inFavour, uint256 abstain);

    function setVotingDelay(uint48 value) external;

    function setVotingPeriod(uint32 value) external;

    function setProposalThreshold(uint256 value) external;

    function setLateQuorumVoteExtension(uint48 value) external;

    function setProposalGuardian(address guardian) external;

    function updateQuorumNumerator(uint256 value) external;

    function updateTimelock(address timelock) external;

    function relay(address target, uint256 value, bytes calldata data) external payable;
}

/// @dev The timelock as tests see it.
interface IDpuTimelock is IAccessControl {
    error TimelockUnauthorizedCaller(address caller);
    error TimelockUnexpectedOperationState(bytes32 operationId, bytes32 expectedStates);
    error TimelockInsufficientDelay(uint256 delay, uint256 minDelay);

    function DEFAULT_ADMIN_ROLE() external view returns (bytes32);

    function PROPOSER_ROLE() external view returns (bytes32);

    function CANCELLER_ROLE() external view returns (bytes32);

    function EXECUTOR_ROLE() external view returns (bytes32);

    function FIRST_DELAY() external view returns (uint256);

    function getMinDelay() external view returns (uint256);

    function isOperationPending(bytes32 id) external view returns (bool);

    function isOperationDone(bytes32 id) external view returns (bool);

    function hashOperationBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt
    ) external pure returns (bytes32);

    function scheduleBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt,
        uint256 delay
    ) external;

    function executeBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt
    ) external payable;

    function cancel(bytes32 id) external;

    function updateDelay(uint256 newDelay) external;
}
