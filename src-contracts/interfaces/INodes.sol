// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Node} from "src-contracts/types/Node.sol";

/// @notice What nodes and stakes say: events and errors.
interface NodeFacts {
    /// @notice Emitted when a node was registered or its owner changed its keys, runtimes or address.
    event NodeSet(
        uint32 indexed node,
        address indexed owner,
        address indexed operator,
        uint32 runtimes,
        bytes32 key,
        string endpoint,
        uint40 since
    );
    /// @notice Emitted when `tier` of a node was proven until `until`.
    event NodeTierSet(uint32 indexed node, uint8 tier, uint40 until);
    /// @notice Emitted when the stake of a node grew. `stake` is the new total.
    event Staked(uint32 indexed node, address indexed owner, uint256 amount, uint256 stake, uint40 since);
    /// @notice Emitted when `amount` was queued to leave. `queued` is the new total in the queue.
    event UnstakeQueued(uint32 indexed node, uint256 amount, uint256 queued, uint40 unstakeAt);
    /// @notice Emitted when the exit queue of a node was emptied back into its stake.
    event UnstakeCancelled(uint32 indexed node, uint256 amount);
    /// @notice Emitted when `amount` left to `to`. `stake` is what is left.
    event Unstaked(uint32 indexed node, address indexed to, uint256 amount, uint256 stake);
    /// @notice Emitted when a node lost `amount` of its stake: `burnt`, `treasury`, and the rest kept for the retry, or for
    /// those whom a verdict pays.
    event NodeSlashed(uint32 indexed node, uint256 amount, uint256 burnt, uint256 treasury, uint256 stake);
    /// @notice Emitted when a staker's votes were delegated.
    event StakeDelegated(address indexed owner, address surrogate, address delegatee);

    /// @notice Thrown when a node does not exist.
    error NodeUnknown(uint32 node);
    /// @notice Thrown when the caller is not the node's owner.
    error NotNodeOwner(uint32 node, address caller);
    /// @notice Thrown when the caller is not the node's operator.
    error NotNodeOperator(uint32 node, address caller);
    /// @notice Thrown when an operator key already works for a node.
    error OperatorTaken(address operator, uint32 node);
    /// @notice Thrown when runtimes are empty or unknown.
    error RuntimesInvalid(uint32 runtimes);
    /// @notice Thrown when an endpoint is longer than allowed.
    error EndpointTooLong(uint256 length);
    /// @notice Thrown when less stake is free than needed. Locked bonds and queued exits are not free.
    error StakeTooLow(uint32 node, uint256 free, uint256 needed);
    /// @notice Thrown when queued stake may not leave yet.
    error UnstakeTooEarly(uint32 node, uint40 unstakeAt);
    /// @notice Thrown when nothing is queued.
    error NothingQueued(uint32 node);
}

/// @notice Nodes and their stake.
interface INodes is NodeFacts {
    /// @notice Registers a node owned by the caller. `operator` is its hot key and must be unused.
    function register(address operator, uint32 runtimes, bytes32 key, string calldata endpoint)
        external
        returns (uint32 node);

    /// @notice Changes a node's hot key, runtimes, encryption key and address. Only its owner.
    function setNode(uint32 node, address operator, uint32 runtimes, bytes32 key, string calldata endpoint) external;

    /// @notice Changes a node's address. Its operator may call, because machines move.
    function setEndpoint(uint32 node, string calldata endpoint) external;

    /// @notice Adds `amount` DPU of the caller to the stake of its node. The staker's votes stay with it.
    function stake(uint32 node, uint256 amount) external;

    /// @notice Queues `amount` of free stake to leave after the unbonding time; the clock restarts for all that is queued.
    function queueUnstake(uint32 node, uint256 amount) external;

    /// @notice Puts everything queued back to work.
    function cancelUnstake(uint32 node) external;

    /// @notice Takes what was queued out to `to`, once its time has come. Never paused.
    function unstake(uint32 node, address to) external;

    /// @notice Delegates the votes of everything the caller has staked to `delegatee`.
    function delegateStake(address delegatee) external;

    /// @notice A node's record. Reverts when it does not exist.
    function node(uint32 id) external view returns (Node memory);

    /// @notice The node that `operator` works for; 0 when none.
    function nodeOf(address operator) external view returns (uint32);

    /// @notice Stake of all nodes that offer `runtime`, and whether new jobs may use it.
    function runtime(uint8 id) external view returns (uint96 stake_, bool allowed);

    /// @notice The contract that holds the stake of `owner` and votes for it; zero before the first stake.
    function surrogateOf(address owner) external view returns (address);
}
