// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {Claiming} from "src-contracts/core/Claiming.sol";
import {IJobs} from "src-contracts/interfaces/IJobs.sol";
import {Hash} from "src-contracts/types/Hash.sol";
import {JobState, JobWord, JobWordLib} from "src-contracts/types/Job.sol";
import {Lease, LeaseLib, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice The hot path: post, claim, commit, reveal, settle.
/// @dev PULL: paying is moving balances; no receiver can block another.
/// TIME: a deadline is the last good second for the one who must act (`<=`); whoever acts on its passing needs `>`.
abstract contract Jobs is Claiming, IJobs {
    /* REQUESTER */

    /// @inheritdoc IJobs
    function post(Terms calldata terms) public returns (bytes32 id) {
        _requireRunning();
        id = _jobId(terms); // once: the arguments of an error are computed even when it is not thrown
        require(msg.sender == terms.requester(), NotRequester(id, msg.sender));
        _setJob(id, JobWordLib.opened(0, _open(id, terms)));
    }

    /// @inheritdoc IJobs
    function postOrder(Terms calldata terms, bytes calldata signature) external returns (bytes32 id) {
        _requireRunning();
        id = _jobId(terms);
        _requireSignature(id, terms.requester(), id, signature);
        _setJob(id, JobWordLib.opened(0, _open(id, terms)));
    }

    /// @inheritdoc IJobs
    function postBatch(Terms[] calldata terms) external returns (bytes32[] memory ids) {
        ids = new bytes32[](terms.length);
        for (uint256 i; i < terms.length; ++i) {
            ids[i] = post(terms[i]);
        }
    }

    /* NODE */

    /// @inheritdoc IJobs
    function claim(Terms calldata terms, uint32 nodeId, uint16 count) external returns (uint32 first) {
        uint256 minStake = _requireRunning().minStake;
        bytes32 id = _jobId(terms);
        require(terms.seats() == 1, SeveralSeats(id));
        JobWord j = _requireJob(id, JobState.Open);
        first = j.cursor();
        count = _clamp(id, terms, first, count);

        uint256 from = _requireDraw(id, terms, first, nodeId, j, 0);
        _take(id, terms, minStake, j, first, count, nodeId, from, 0);
    }

    /// @inheritdoc IJobs
    function claimOrder(Terms calldata terms, bytes calldata signature, uint32 nodeId, uint16 count)
        external
        returns (uint32)
    {
        uint256 minStake = _requireRunning().minStake;
        bytes32 id = _jobId(terms);
        _requireSignature(id, terms.requester(), id, signature);
        JobWord j = JobWordLib.opened(0, _open(id, terms));
        count = _clamp(id, terms, 0, count);

        // No block is after the post yet, so no draw: the node that the order names, or the first to bring it; hence one seat.
        if (terms.seats() != 1) revert TermsInvalid(id, "seats");
        (bool ready, uint256 from) = _opening(terms, block.timestamp);
        if (!ready) revert AfterNotComplete(id, terms.afterJob);
        if (block.timestamp < terms.start()) revert NotOpenYet(id, terms.start());
        _requireWorker(id, terms, nodeId);
        _take(id, terms, minStake, j, 0, count, nodeId, from, 0);
        return 0;
    }

    /// @inheritdoc IJobs
    function takeOver(Terms calldata terms, uint32 first, uint32 nodeId) external {
        uint256 minStake = _requireRunning().minStake;
        bytes32 id = _jobId(terms);
        require(terms.seats() == 1, SeveralSeats(id));
        JobWord j = _requireJob(id, JobState.Open);
        bytes32 key = _leaseKey(id, first);
        LeaseWord word = _loadLease(key);
        _requirePhase(id, first, word, Phase.Lapsed);
        require(word.node() != nodeId, TakeOverByFailed(id, first, nodeId));

        uint256 from = _requireDraw(id, terms, first, nodeId, j, word.at());
        if (word.count() == terms.shards()) _setLease(key, LeaseWord.wrap(0)); // it moves into the job's own slot
        _take(id, terms, minStake, j, first, word.count(), nodeId, from, word.bonus());
    }

    /// @inheritdoc IJobs
    function commit(bytes32 id, Lease calldata lease_, bytes32 commitment) external {
        require(commitment != 0, CommitmentZero(id, lease_.first()));
        require(lease_.claimed.flags() & LeaseWordLib.SEAT == 0, SeatsAgree(id, lease_.first()));
        (bytes32 key, LeaseWord word) = _requireHolder(id, lease_);
        require(word.flags() & LeaseWordLib.DIRECT == 0, DirectMismatch(id, true));

        // The preimage is what the holder will pass from now on: the claim, this commitment, this block.
        uint208 body = uint208(uint256(Hash.words(LeaseWord.unwrap(word), uint256(commitment), block.number)) >> 48);
        _setLease(key, LeaseWordLib.make(word.flags(), Phase.Committed, block.timestamp, body));

        emit LeaseCommitted(id, lease_.claimed.node(), lease_.first(), commitment);
    }

    /// @inheritdoc IJobs
    function reveal(Terms calldata terms, Lease calldata lease_, Result calldata result, bytes32 salt) external {
        bytes32 id = _jobId(terms);
        (bytes32 key, LeaseWord word) = _find(id, lease_);
        _requirePhase(id, lease_.first(), word, Phase.Committed);
        _requireMatch(id, lease_, result, word);
        require(
            lease_.commitment == _commitment(id, lease_.first(), 0, lease_.claimed.node(), result, salt),
            LeaseMismatch(id, lease_.first())
        );
        (bool ready, uint256 opens) = _revealOpens(terms, id, lease_.first(), word.at(), lease_.committedBlock());
        // forge-lint: disable-start(unsafe-typecast)
        require(ready && block.timestamp >= opens, TooEarly(id, lease_.first(), uint40(opens))); // times fit
        uint40 closes = uint40(_revealCloses(terms, opens));
        // forge-lint: disable-end(unsafe-typecast)
        require(block.timestamp <= closes, DeadlinePassed(id, lease_.first(), closes));

        _show(key, id, lease_, result);
    }

    /// @inheritdoc IJobs
    function submit(bytes32 id, Lease calldata lease_, Result calldata result) external {
        (bytes32 key, LeaseWord word) = _requireHolder(id, lease_);
        require(word.flags() & LeaseWordLib.DIRECT != 0, DirectMismatch(id, false));

        _show(key, id, lease_, result);
    }

    /* SETTLEMENT */

    /// @inheritdoc IJobs
    function settle(Terms calldata terms, Lease[] calldata leases, Result[] calldata results) external {
        require(leases.length == results.length, LengthMismatch(leases.length, results.length));
        bytes32 id = _jobId(terms);
        for (uint256 i; i < leases.length; ++i) {
            Lease calldata l = leases[i];
            require(l.claimed.flags() & LeaseWordLib.SEAT == 0, SeatsAgree(id, l.first()));
            (bytes32 key, LeaseWord word) = _find(id, l);
            _requirePhase(id, l.first(), word, Phase.Revealed);
            _requireMatch(id, l, results[i], word);
            uint256 held = _heldUntil(terms, word.at());
            // forge-lint: disable-next-line(unsafe-typecast)
            require(block.timestamp > held, TooEarly(id, l.first(), uint40(held + 1))); // a time
            _pay(id, terms, l, results[i], key, word, false);
        }
    }

    /// @inheritdoc IJobs
    function accept(Terms calldata terms, Lease calldata lease_, Result calldata result, bytes calldata signature)
        external
    {
        bytes32 id = _jobId(terms);
        // Not `require`: the arguments of its error are computed even when it is not thrown.
        if (lease_.claimed.flags() & LeaseWordLib.SEAT != 0) revert SeatsAgree(id, lease_.first());
        (bytes32 key, LeaseWord word) = _find(id, lease_);
        if (!_isLiving(word.phase())) revert LeaseInPhase(id, lease_.first(), word.phase(), Phase.Claimed);
        _requireMatch(id, lease_, result, word);
        _requireAcceptance(id, terms, lease_.first(), lease_.claimed.node(), result, signature);
        _pay(id, terms, lease_, result, key, word, true);
    }

    /// @inheritdoc IJobs
    function settleOrder(
        Terms calldata terms,
        bytes calldata signature,
        uint32 nodeId,
        Result calldata result,
        bytes calldata acceptance
    ) external {
        _requireRunning();
        bytes32 id = _jobId(terms);
        _requireSignature(id, terms.requester(), id, signature);
        _requireAcceptance(id, terms, 0, nodeId, result, acceptance);
        require(terms.seats() == 1, TermsInvalid(id, "seats"));
        require(_nodes[nodeId].owner != address(0), NodeUnknown(nodeId));
        require(terms.node() == 0 || terms.node() == nodeId, NodeNotEligible(id, nodeId));
        uint256 escrow = _open(id, terms);
        (bool ready, uint256 from) = _opening(terms, block.timestamp);
        require(ready, AfterNotComplete(id, terms.afterJob));
        require(block.timestamp >= terms.start(), NotOpenYet(id, terms.start()));

        uint256 gross = uint256(terms.priceAt(from, block.timestamp)) * terms.shards();
        _end(id, terms, JobState.Complete, escrow - gross, 0);
        _payOut(id, terms, 0, nodeId, 0, gross, 0, true, result);
    }

    /* INTERNAL */

    /// @dev Writes the claim of shards `first … first + count − 1`.
    function _take(
        bytes32 id,
        Terms calldata terms,
        uint256 minStake,
        JobWord word,
        uint32 first,
        uint16 count,
        uint32 nodeId,
        uint256 from,
        uint64 bonus
    ) private {
        bytes32 key = _occupy(id, terms, word, first, count);
        uint8 flags = (terms.direct() ? LeaseWordLib.DIRECT : 0) | (key == id ? LeaseWordLib.SOLO : 0);
        _setLease(
            key, _bind(id, terms, minStake, first, flags, count, nodeId, terms.priceAt(from, block.timestamp), bonus)
        );
    }

    function _show(bytes32 key, bytes32 id, Lease calldata lease_, Result calldata result) private {
        LeaseWord claimed = lease_.claimed;
        uint208 body = LeaseLib.revealedBody(claimed, result);
        _setLease(key, LeaseWordLib.make(claimed.flags(), Phase.Revealed, block.timestamp, body));

        emit LeaseRevealed(id, claimed.node(), lease_.first(), result);
    }

    /// @dev Frees the bond, updates the job, pays. The lease's phase and preimage were checked by the caller.
    function _pay(
        bytes32 id,
        Terms calldata terms,
        Lease calldata l,
        Result calldata result,
        bytes32 key,
        LeaseWord word,
        bool accepted
    ) private {
        uint16 count = l.claimed.count();
        uint256 gross = uint256(l.claimed.price()) * count;
        bool fault = !accepted && result.root == LeaseLib.SPEC_FAULT;
        if (fault) {
            if (terms.window() == 0) {
                _passOn(id, terms, l, key);
                return;
            }
            gross = _killFee(terms, gross);
        }
        uint208 receipt = accepted || fault ? 0 : _receiptOf(terms, l.claimed, result);
        _endRange(id, terms, key, count, gross, !fault, receipt);
        uint256 bonus = uint256(l.claimed.bonus()) * 1 gwei;
        uint256 bond = terms.bond() * count - _closeTab(key, word);
        _payOut(id, terms, l.first(), l.claimed.node(), bond, gross, bonus, accepted, result);
    }

    /// @dev That a job cannot be done is not believed where nobody could challenge it: a node would end any such job for nothing. The shards are free for
    /// another node; the bond is free, and the record falls as by a missed commit.
    function _passOn(bytes32 id, Terms calldata terms, Lease calldata l, bytes32 key) private {
        (uint32 nodeId, uint16 count, uint64 bonus) = (l.claimed.node(), l.claimed.count(), l.claimed.bonus());
        Node storage n = _nodes[nodeId];
        // forge-lint: disable-next-line(unsafe-typecast)
        uint96 locked = n.locked - uint96(terms.bond() * count); // what `_lock` added
        uint16 record = n.record - n.record / 8;
        (n.locked, n.record) = (locked, record);

        emit LeaseLapsed(id, nodeId, l.first(), 0, uint256(bonus) * 1 gwei, record, false);

        _reopen(id, terms, key, l.first(), count, nodeId, bonus);
    }
}
