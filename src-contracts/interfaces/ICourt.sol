// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {Bench} from "src-contracts/types/Bench.sol";
import {Dispute, DisputeState, Juror, Shard, Testimony, Verdict} from "src-contracts/types/Dispute.sol";
import {Lease, LeaseWord, Result} from "src-contracts/types/Lease.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice What the court says: events and errors. `dispute` is `disputeKey`: the job, the claim and the shard.
interface CourtFacts is JobFacts {
    /// @notice Emitted when the shard `index` of the lease at `first` was challenged: `hash` and `units` are what its holder showed. `challenger` pays, or
    /// the stake of the node `byNode` when that is not zero. Jurors serve on what is here and the job's terms; the block of this event
    /// draws them.
    event Challenged(
        bytes32 indexed dispute,
        bytes32 indexed id,
        uint32 indexed node,
        LeaseWord claimed,
        uint32 first,
        uint32 index,
        bytes32 hash,
        uint64 units,
        address challenger,
        uint32 byNode
    );
    /// @notice Emitted when a juror sat down and bound itself.
    event JurorServed(bytes32 indexed dispute, uint32 indexed node, uint8 round, bytes32 commitment);
    /// @notice Emitted when a juror's vote was shown: what it computed, and the digest of what it published.
    event JurorSpoke(
        bytes32 indexed dispute,
        uint32 indexed node,
        uint8 round,
        Verdict verdict,
        bytes32 hash,
        uint64 units,
        bytes32 evidence
    );
    /// @notice Emitted when a round was counted. `found` is what its jury found, `stands` what stands now. `paid` jurors got their fee; `NodeSlashed` says
    /// who lost its juror's bond.
    event Judged(bytes32 indexed dispute, uint8 round, Verdict found, Verdict stands, uint256 served, uint256 paid);
    /// @notice Emitted when a second jury was called, at the cost of `appellant` or of the stake of `byNode`. The block of this event draws it.
    event Appealed(bytes32 indexed dispute, address appellant, uint32 byNode);
    /// @notice Emitted when a verdict was carried out. Of the challenger's bond, `returned` went back and `forfeited` was lost beside the jurors' fees;
    /// `rewarded` DPU it got on top. `repaid` is what the appellant got back of the fees of the second jury. `record` is the holder's.
    event DisputeEnded(
        bytes32 indexed dispute,
        Verdict verdict,
        uint256 returned,
        uint256 forfeited,
        uint256 rewarded,
        uint256 repaid,
        uint16 record
    );
    /// @notice Emitted when the last dispute about a lease ended, with the gravest verdict of all. Up to `Withheld` the lease stands revealed as
    /// before. `Invalid`: its bond is gone, and a lease is free to be taken over. Otherwise it ended undone: `paid` and `fee` for the holder, and
    /// `compensation`, less the same fee, for the challenger, all in the job's currency.
    event LeaseJudged(
        bytes32 indexed id,
        uint32 indexed node,
        uint32 first,
        Verdict verdict,
        uint256 paid,
        uint256 fee,
        uint256 compensation
    );

    /// @notice Thrown when a dispute is not in the state that the call needs.
    error DisputeInState(bytes32 dispute, DisputeState actual, DisputeState needed);
    /// @notice Thrown when the shard is none of the lease's, or is not under its root.
    error ShardUnknown(bytes32 id, uint32 first, uint32 index);
    /// @notice Thrown when the bond of a shard is too small to pay a juror.
    error BondTooSmall(bytes32 id, uint256 bond);
    /// @notice Thrown when a party to the dispute, or a neighbour of the judged seat, wants to be a juror.
    error JurorIsParty(bytes32 dispute, uint32 node);
    /// @notice Thrown when a node has served in this dispute.
    error JurorServedAlready(bytes32 dispute, uint32 node);
    /// @notice Thrown when every seat of the jury is taken.
    error JuryFull(bytes32 dispute, uint256 seats);
    /// @notice Thrown when the jurors that are given are not all who serve, in the order in which they sat down.
    error JurorsMismatch(bytes32 dispute);
    /// @notice Thrown when a juror's words are not what it is bound to, or are no vote.
    error TestimonyInvalid(bytes32 dispute, uint32 node);
    /// @notice Thrown when a juror has spoken before.
    error JurorSpokeAlready(bytes32 dispute, uint32 node);
    /// @notice Thrown when the second jury's verdict is appealed.
    error RoundFinal(bytes32 dispute);
}

/// @notice How a dispute begins, and what can be asked about it.
interface IDisputes is CourtFacts {
    /// @notice Says that a shard of a revealed result is wrong, out of reach or impossible, within the challenge window. The bond is ten jurors' fees: from
    /// the caller's balance, or from the free stake of `node`, whose operator calls. Of a result that says that the job cannot be done, `shard` is
    /// an index alone.
    /// @dev Warning: who challenges what is right loses its bond.
    function challenge(
        Terms calldata terms,
        Lease calldata lease_,
        Result calldata result,
        Shard calldata shard,
        uint32 node
    ) external;

    /// @notice Calls a second, larger jury after the first has judged. It costs the caller's balance, or the free stake of `node`, eleven fees.
    function appeal(Terms calldata terms, Lease calldata lease_, uint32 index, uint32 node) external;

    /* VIEWS */

    /// @notice The key of the dispute about one shard of a claim.
    function disputeKey(bytes32 id, Lease calldata lease_, uint32 index) external pure returns (bytes32);

    /// @notice What a juror commits to.
    function testimonyOf(bytes32 dispute_, uint8 round, Testimony calldata said) external pure returns (bytes32);

    /// @notice A dispute; state `None` when there is none.
    function dispute(bytes32 key) external view returns (Dispute memory);

    /// @notice The jury of a round: who sits, and the chain of what they are bound to. Empty once the verdict is carried out.
    function jury(bytes32 key, uint8 round) external view returns (Bench);

    /// @notice Who appealed: an account, or a node; both zero when nobody did, or the verdict is carried out.
    function appellant(bytes32 key) external view returns (address account, uint32 node);

    /// @notice What a dispute costs, in DPU: the challenger's bond, the fee of a juror, which is also its bond, and the appellant's bond.
    function disputeCost(Terms calldata terms)
        external
        pure
        returns (uint256 challenging, uint256 juror, uint256 appealing);

    /// @notice Whether `node` may serve now, and from when it may if nothing else changes (0: never).
    function drawnToJury(Terms calldata terms, Lease calldata lease_, uint32 index, uint32 node)
        external
        view
        returns (bool now_, uint40 from_);

    /// @notice The times of the round that runs: last second to serve and to speak. Once judged: both are the last second to appeal, 0 after round 2.
    function disputeTimes(Terms calldata terms, Lease calldata lease_, uint32 index)
        external
        view
        returns (uint40 serveUntil, uint40 speakUntil);
}

/// @notice How a dispute is judged.
interface IJuries is CourtFacts {
    /// @notice Takes a drawn seat on the jury and binds the juror to its vote; see `testimonyOf`. The juror has computed the shard before. One fee of its
    /// stake is locked.
    /// @dev Warning: a juror that stays silent, or differs from two thirds of the jury, loses that bond.
    function serve(Terms calldata terms, Lease calldata lease_, uint32 index, uint32 node, bytes32 commitment) external;

    /// @notice Shows the vote of one juror by itself, once all seats are taken or serving is over. `jurors` are all who serve, in that order; `at` is the place
    /// of the one who speaks. Anyone who knows the salt may call.
    function testify(
        Terms calldata terms,
        Lease calldata lease_,
        uint32 index,
        Juror[] calldata jurors,
        uint256 at,
        Testimony calldata said
    ) external;

    /// @notice Ends a round: counts the votes, pays and slashes the jurors. `said` are all who serve, in that order. At once when all seats are taken and every
    /// vote is shown here or was before; otherwise when those who are silent may no longer speak.
    function judge(Terms calldata terms, Lease calldata lease_, uint32 index, Testimony[] calldata said) external;

    /// @notice Carries a verdict out, once it can no longer be appealed. A verdict that ends the lease waits until its challenge window is over.
    function enforce(Terms calldata terms, Lease calldata lease_, Result calldata result, uint32 index) external;
}

/// @notice The court: one shard of a revealed lease before a drawn jury. See `docs/court.md`. Of every `Lease`, only the claim and the first shard
/// are read. None of this can be paused.
interface ICourt is IDisputes, IJuries {}
