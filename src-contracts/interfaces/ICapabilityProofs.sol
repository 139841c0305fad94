// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobState} from "src-contracts/types/Job.sol";

/// @notice What a node has to compute, and how fast, to be counted in a tier.
struct Benchmark {
    uint8 runtime;
    /// Seconds from the beginning in which the node has to claim. Whoever knows the nonce may compute before it claims, so all the time it has
    /// is this and `exec`.
    uint32 claimFor;
    /// Seconds from claim to result.
    uint32 exec;
    /// Seconds in which anyone may challenge the result.
    uint32 window;
    /// Seconds for which the tier counts.
    uint32 validFor;
    /// DPU wei that the node risks for a false result.
    uint96 bond;
    /// The job's canonical spec in two pieces. Between them stands the nonce as 66 characters: `0x` and 64 lower-case hex digits.
    bytes head;
    bytes tail;
}

/// @notice Tiers of capability, proven by ordinary jobs of the Market.
interface ICapabilityProofs {
    /// @notice Emitted when the benchmark of a tier is set; `spec` is the hash of its two pieces. Without an `exec` the tier is closed.
    event BenchmarkSet(uint8 indexed tier, uint8 runtime, uint32 exec, uint32 validFor, bytes32 spec);
    /// @notice Emitted when a node begins: `job` is the job that it has to do, `nonce` stands in that job's spec.
    event ProofBegun(uint32 indexed node, bytes32 indexed job, uint8 tier, bytes32 nonce);
    /// @notice Emitted when a proof was accepted; the Market says the same by `NodeTierSet`.
    event ProofFinished(uint32 indexed node, bytes32 indexed job, uint8 tier, uint40 until);

    /// @notice Thrown when `tier` has no benchmark.
    error TierClosed(uint8 tier);
    /// @notice Thrown when somebody else than a node's owner or operator begins.
    error NotOfNode(uint32 node, address caller);
    /// @notice Thrown when no proof of that job is under way: it was never begun here, or it is finished.
    error ProofUnknown(bytes32 job);
    /// @notice Thrown when the job is not complete. A job that is closed never will be: begin again.
    error NotProven(bytes32 job, JobState state);
    /// @notice Thrown when the node has a higher tier, or this one for longer, and it still counts.
    error TierHeld(uint32 node, uint8 tier, uint40 until);
    /// @notice Thrown when a number of a benchmark is out of its bounds.
    error BenchmarkOutOfBounds(bytes32 field, uint256 value, uint256 least, uint256 most);

    /// @notice Sets what proves `tier`, for proofs that begin from now on; an `exec` of 0 closes the tier. Only the owner, the timelock.
    function setBenchmark(uint8 tier, Benchmark calldata benchmark_) external;

    /// @notice Posts the job by which `node` proves `tier`, for that node alone. Its owner or its operator.
    function begin(uint32 node, uint8 tier) external returns (bytes32 job);

    /// @notice Gives the node the tier, once the job is complete. Anyone.
    function finish(bytes32 job) external;

    /// @notice The benchmark of `tier`; all zero when it is closed.
    function benchmark(uint8 tier) external view returns (Benchmark memory);

    /// @notice Whose proof `job` is; a node of 0: nobody's, or finished.
    function proof(bytes32 job) external view returns (uint32 node, uint8 tier, uint32 validFor);
}
