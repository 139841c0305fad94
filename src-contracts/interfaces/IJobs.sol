// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Job, JobState} from "src-contracts/types/Job.sol";
import {Lease, LeaseWord, Phase, Result} from "src-contracts/types/Lease.sol";
import {Outcome, Panel} from "src-contracts/types/Panel.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice What jobs and leases say: events and errors.
interface JobFacts {
    /// @notice Emitted when a range with several seats, or an audit, ended: `Agreed` on `result`, `Unresolved` (no quorum), or `Silent` (nobody
    /// showed anything; the range is free again).
    event PanelEnded(bytes32 indexed id, uint32 first, Outcome outcome, Result result);
    /// @notice Emitted when a seat lost its bond: it showed another result than the quorum, or (`withheld`) none.
    event SeatFaulted(
        bytes32 indexed id, uint32 indexed node, uint32 first, uint256 slashed, uint16 record, bool withheld
    );
    /// @notice Emitted when a lease became an audit: `auditor` computes it again. `pooled`: the protocol pays it, from the treasury's balance.
    event AuditOpened(bytes32 indexed id, uint32 indexed auditor, uint32 first, bool pooled);
    /// @notice Emitted when a job was posted and its worst case set aside. A signed order is claimed or paid in the same transaction.
    event JobPosted(bytes32 indexed id, address indexed requester, Terms terms);
    /// @notice Emitted when a job was cancelled; leases that run go on.
    event JobCancelled(bytes32 indexed id, uint256 refunded);
    /// @notice Emitted when every shard of a job was settled; what it did not cost went back to the requester.
    event JobCompleted(bytes32 indexed id, uint256 refunded);
    /// @notice Emitted when a job ended with shards that nobody was paid for.
    event JobClosed(bytes32 indexed id, uint256 refunded);
    /// @notice Emitted when `node` took the shards from `first` on and locked their bond. `claimed` is the lease's word: deadline, count,
    /// price, bonus (see `LeaseWordLib`). It was taken over when `first` had been claimed before.
    event LeaseClaimed(bytes32 indexed id, uint32 indexed node, uint32 first, LeaseWord claimed);
    /// @notice Emitted when `node` took a seat with its commitment: `LeaseClaimed` and `LeaseCommitted` in one, for about 1,800 gas less.
    event SeatCommitted(bytes32 indexed id, uint32 indexed node, uint32 first, LeaseWord claimed, bytes32 commitment);
    /// @notice Emitted when a lease was committed. The block of this event seeds the audit draw.
    event LeaseCommitted(bytes32 indexed id, uint32 indexed node, uint32 first, bytes32 commitment);
    /// @notice Emitted when a lease's result became public. It can be settled once the terms' `window` seconds have passed.
    event LeaseRevealed(bytes32 indexed id, uint32 indexed node, uint32 first, Result result);
    /// @notice Emitted when a lease was paid after its window: `paid` to the node's owner and `fee` to the protocol, in the job's currency,
    /// with the lease's bonus in DPU. `record` is the node's new record.
    event LeaseSettled(bytes32 indexed id, uint32 indexed node, uint32 first, uint256 paid, uint256 fee, uint16 record);
    /// @notice The same, paid at once by the requester's signature, which may come before the result was shown. It proves nothing
    /// to others, so the record stays.
    event LeaseAccepted(
        bytes32 indexed id, uint32 indexed node, uint32 first, uint256 paid, uint256 fee, Result result
    );
    /// @notice Emitted when a lease missed a deadline: `slashed` of its bond is lost, `bonus` DPU waits for whoever takes over. Nothing is slashed where
    /// it ends because its holder found that the job cannot be done, and nobody could have challenged that.
    event LeaseLapsed(
        bytes32 indexed id,
        uint32 indexed node,
        uint32 first,
        uint256 slashed,
        uint256 bonus,
        uint16 record,
        bool withheld
    );
    /// @notice Emitted when the bonus of a lease that nobody took over went to the treasury.
    event BonusSwept(bytes32 indexed id, uint32 first, uint256 amount);

    /// @notice Thrown when terms can never be fulfilled. `field` names the first that is wrong.
    error TermsInvalid(bytes32 id, bytes32 field);
    /// @notice Thrown when a job is not in the state that the call needs.
    error JobInState(bytes32 id, JobState actual, JobState needed);
    /// @notice Thrown when a lease is not in the phase that the call needs.
    error LeaseInPhase(bytes32 id, uint32 first, Phase actual, Phase needed);
    /// @notice Thrown when the lease in calldata is not the one that the contract knows.
    error LeaseMismatch(bytes32 id, uint32 first);
    /// @notice Thrown when the caller is not the requester.
    error NotRequester(bytes32 id, address caller);
    /// @notice Thrown when a signature is not the requester's.
    error SignatureInvalid(bytes32 id, address requester);
    /// @notice Thrown when no shard is left to claim.
    error NothingToClaim(bytes32 id);
    /// @notice Thrown when `count` is zero or more than a lease of this job may hold.
    error CountInvalid(bytes32 id, uint256 count, uint256 most);
    /// @notice Thrown before claiming opens. `opens` is zero when it depends on another job or on the seed's block.
    error NotOpenYet(bytes32 id, uint40 opens);
    /// @notice Thrown when the earlier job is not complete.
    error AfterNotComplete(bytes32 id, bytes32 afterJob);
    /// @notice Thrown when the node was not drawn yet; it may try again from `retryAt`.
    error NotDrawn(bytes32 id, uint32 node, uint40 retryAt);
    /// @notice Thrown when the job asks for another node, runtime or tier.
    error NodeNotEligible(bytes32 id, uint32 node);
    /// @notice Thrown when a failed node tries to take its own lease over.
    error TakeOverByFailed(bytes32 id, uint32 first, uint32 node);
    /// @notice Thrown when the last good second has passed.
    error DeadlinePassed(bytes32 id, uint32 first, uint40 deadline);
    /// @notice Thrown when it is too early. `from` is the first good second.
    error TooEarly(bytes32 id, uint32 first, uint40 from);
    /// @notice Thrown when a commit is asked of a direct job, or a submit of one that is not.
    error DirectMismatch(bytes32 id, bool direct);
    /// @notice Thrown when a commitment is zero.
    error CommitmentZero(bytes32 id, uint32 first);
    /// @notice Thrown when leases and results differ in number.
    error LengthMismatch(uint256 leases, uint256 results);
    /// @notice Thrown when every seat of a range is taken.
    error NoSeatFree(bytes32 id, uint32 first);
    /// @notice Thrown when a node sits on the range, or has failed there.
    error SeatedAlready(bytes32 id, uint32 first, uint32 node);
    /// @notice Thrown when a job with several seats is claimed alone: nodes `sit`.
    error SeveralSeats(bytes32 id);
    /// @notice Thrown when a job with one seat, or a lease that is not a seat, is treated as one of several.
    error OneSeat(bytes32 id);
    /// @notice Thrown when a lease was not drawn for an audit, or the draw's block is not there yet.
    error NotAudited(bytes32 id, uint32 first);
    /// @notice Thrown when a seat among several is to be paid by itself: `agree` pays them together.
    error SeatsAgree(bytes32 id, uint32 first);
    /// @notice Thrown when the seats that have committed are not all given.
    error SeatsMissing(bytes32 id, uint32 first, uint256 given, uint256 committed);
    /// @notice Thrown when a job still has living leases.
    error JobBusy(bytes32 id);
}

/// @notice The hot path of a job: post, claim, commit, reveal, settle. Nothing here calls another contract, but for the signature
/// check of a requester that is a contract.
interface IJobs is JobFacts {
    /// @notice Posts a job and moves its worst case from the caller's balance into escrow.
    function post(Terms calldata terms) external returns (bytes32 id);

    /// @notice Posts a job that its requester has signed (the EIP-712 digest of the terms is the job's id). Anyone may bring it: the salt is its
    /// nonce, the expiry its deadline, and a requester that is a contract answers by ERC-1271.
    function postOrder(Terms calldata terms, bytes calldata signature) external returns (bytes32 id);

    /// @notice Posts several jobs at once; later ones may name earlier ones as `afterJob`.
    function postBatch(Terms[] calldata terms) external returns (bytes32[] memory ids);

    /// @notice Takes the next `count` shards (fewer when fewer are left), locking the bond. Jobs with several seats are taken by `sit`.
    /// @dev Warning: a node that claims and stays silent loses part of its bond; one that commits and does not reveal loses all.
    function claim(Terms calldata terms, uint32 node, uint16 count) external returns (uint32 first);

    /// @notice Brings a signed order on chain and claims of it in one transaction.
    function claimOrder(Terms calldata terms, bytes calldata signature, uint32 node, uint16 count)
        external
        returns (uint32 first);

    /// @notice Takes over a lapsed lease, with the part of the failed bond that came free.
    function takeOver(Terms calldata terms, uint32 first, uint32 node) external;

    /// @notice Binds the holder to a result without showing it.
    function commit(bytes32 id, Lease calldata lease_, bytes32 commitment) external;

    /// @notice Shows the result that was committed. Anyone who knows the salt may call.
    function reveal(Terms calldata terms, Lease calldata lease_, Result calldata result, bytes32 salt) external;

    /// @notice Commit and reveal in one, for direct jobs.
    function submit(bytes32 id, Lease calldata lease_, Result calldata result) external;

    /// @notice Pays leases whose challenge window has passed.
    function settle(Terms calldata terms, Lease[] calldata leases, Result[] calldata results) external;

    /// @notice Pays a lease at once, with the requester's signed acceptance, in any living phase.
    function accept(Terms calldata terms, Lease calldata lease_, Result calldata result, bytes calldata signature)
        external;

    /// @notice Posts, accepts and pays a whole signed job in one transaction, for parties that trust each other.
    function settleOrder(
        Terms calldata terms,
        bytes calldata signature,
        uint32 node,
        Result calldata result,
        bytes calldata acceptance
    ) external;
}

/// @notice The exits: how money leaves a job that did not go the straight way. Anyone may push when time allows; none can be paused.
interface IExits is JobFacts {
    /// @notice Stops new claims and refunds what no lease needs. Also voids a signed order that nobody has brought yet.
    function cancel(Terms calldata terms) external;

    /// @notice Ends a lease that missed a deadline, so that others can take it over.
    function lapse(Terms calldata terms, Lease calldata lease_) external;

    /// @notice Ends a job that is expired or cancelled and has no living lease; what is left goes back.
    function close(Terms calldata terms) external;

    /// @notice Gives the bonus of a lapsed lease to the treasury, once its job has closed.
    function sweep(bytes32 id, uint32 first) external;
}

/// @notice What can be asked about jobs and leases.
interface IJobViews is JobFacts {
    /// @notice The id of `terms`: their EIP-712 digest in this contract's domain.
    function jobId(Terms calldata terms) external view returns (bytes32);

    /// @notice The state of a job. While `Leased`, one lease covers it and only `state` is set.
    function job(bytes32 id) external view returns (Job memory);

    /// @notice The phase of a lease and the second that goes with it: Claimed its deadline, otherwise when it happened.
    function lease(bytes32 id, uint32 first) external view returns (Phase phase, uint40 at);

    /// @notice The raw storage word of a lease, for nodes that check their journal.
    function leaseWord(bytes32 id, uint32 first) external view returns (uint256);

    /// @notice Price of a shard, in the job's currency, if it were claimed at `time`.
    function priceAt(Terms calldata terms, uint256 time) external view returns (uint96);

    /// @notice Whether `node` may take the lease at `first` now, and from when it may if nothing else changes (0: never).
    function drawn(Terms calldata terms, uint32 first, uint32 node) external view returns (bool now_, uint40 from_);

    /// @notice Last second at which any money of this job can still be bound, whatever anyone does. 0 when it has ended.
    function worstCaseExit(Terms calldata terms) external view returns (uint40);

    /// @notice Thrown when a part of the stake is more than all of it, 10,000 basis points.
    error ShareInvalid(uint256 bps);

    /// @notice What the policy of a job is worth for one shard, in basis points, when every node that is drawn beside a cheat joins in its lie with
    /// probability `colludingBps` (the liars' part of the stake, since the draw goes by stake): what the requester expects to pay when nobody
    /// cheats, as a multiple of one node's price; what the protocol pays beside it; and the probability that a wrong result of one
    /// node does not become the job's. Challenges by others come on top. `docs/assurance.md` derives it.
    function assuranceOf(Terms calldata terms, uint256 colludingBps)
        external
        view
        returns (uint256 cost, uint256 pooled, uint256 caught);

    /// @notice What a node commits to.
    function commitmentOf(bytes32 id, uint32 first, uint8 seat, uint32 node, Result calldata result, bytes32 salt)
        external
        pure
        returns (bytes32);

    /// @notice Whether `(shard, hash, units)` is a leaf under `root`.
    function isShardOf(bytes32 root, uint32 shard, bytes32 hash, uint64 units, bytes32[] calldata proof)
        external
        pure
        returns (bool);
}
