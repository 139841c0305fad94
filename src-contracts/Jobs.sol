// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {IJobs} from "src-contracts/interfaces/IJobs.sol";
import {Job, JobState, JobWord, JobWordLib} from "src-contracts/types/Job.sol";
import {Lease, LeaseLib, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Panel} from "src-contracts/types/Panel.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice The hot path: post, claim, commit, reveal, settle.
/// @dev PULL: paying is moving balances; no receiver can block another.
/// TIME: a deadline is the last good second for the one who must act (`<=`); whoever acts on its passing needs `>`.
abstract contract Jobs is MarketCore, IJobs {
    /* REQUESTER */

    /// @inheritdoc IJobs
    function post(Terms calldata terms) public returns (bytes32 id) {
        Gate memory gate = _requireRunning();
        id = _jobId(terms); // once: the arguments of an error are computed even when it is not thrown
        require(msg.sender == terms.requester(), NotRequester(id, msg.sender));
        _setJob(id, JobWordLib.opened(0, _open(id, terms, gate)));
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
        Gate memory gate = _requireRunning();
        bytes32 id = _jobId(terms);
        JobWord j = _requireJob(id, JobState.Open);
        first = j.cursor();
        count = _clamp(id, terms, first, count);

        uint256 from = _requireDraw(id, terms, first, nodeId, j, 0);
        _take(id, terms, gate, j, first, count, nodeId, from, 0);
    }

    /// @inheritdoc IJobs
    function claimOrder(Terms calldata terms, bytes calldata signature, uint32 nodeId, uint16 count)
        external
        returns (uint32)
    {
        Gate memory gate = _requireRunning();
        bytes32 id = _jobId(terms);
        _requireSignature(id, terms.requester(), id, signature);
        JobWord j = JobWordLib.opened(0, _open(id, terms, gate));
        count = _clamp(id, terms, 0, count);

        // No block is after the post yet, so no draw: the node that the order names, or the first to bring it; hence one seat.
        require(terms.seats() == 1, TermsInvalid(id, "seats"));
        (bool ready, uint256 from) = _opening(terms, block.timestamp);
        require(ready, AfterNotComplete(id, terms.afterJob));
        require(block.timestamp >= terms.start(), NotOpenYet(id, terms.start()));
        _requireWorker(id, terms, nodeId);
        _take(id, terms, gate, j, 0, count, nodeId, from, 0);
        return 0;
    }

    /// @inheritdoc IJobs
    function takeOver(Terms calldata terms, uint32 first, uint32 nodeId) external {
        Gate memory gate = _requireRunning();
        bytes32 id = _jobId(terms);
        JobWord j = _requireJob(id, JobState.Open);
        bytes32 key = _leaseKey(id, first);
        LeaseWord word = _loadLease(key);
        _requirePhase(id, first, word, Phase.Lapsed);
        require(word.node() != nodeId, TakeOverByFailed(id, first, nodeId));

        uint256 from = _requireDraw(id, terms, first, nodeId, j, word.at());
        if (word.count() == terms.shards()) _setLease(key, LeaseWord.wrap(0)); // it moves into the job's own slot
        _take(id, terms, gate, j, first, word.count(), nodeId, from, word.bonus());
    }

    /// @inheritdoc IJobs
    function join(Terms calldata terms, uint32 first, uint32 nodeId) external {
        Gate memory gate = _requireRunning();
        bytes32 id = _jobId(terms);
        (bytes32 range, Panel memory p) = _requirePanel(id, first);
        require(p.sitting < terms.seats(), NoSeatFree(id, first));
        uint256 until = _joinUntil(terms, p);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp <= until, DeadlinePassed(id, first, uint40(until))); // a time
        Phase before = _loadLease(_seatKey(range, nodeId)).phase();
        require(before == Phase.None, SeatedAlready(id, first, nodeId, before));
        _requireOperator(nodeId);
        require(_eligible(terms, nodeId, _nodes[nodeId]), NodeNotEligible(id, nodeId));
        uint256 at = _drawnAt(terms, id, first, nodeId, _nodes[nodeId], p.postBlock, p.postedAt, p.rampFrom);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp >= at, NotDrawn(id, nodeId, uint40(at))); // a time

        uint64 bonus;
        if (p.lapses != 0) {
            bytes32 key = _bonusKey(range);
            bonus = uint64(LeaseWord.unwrap(_loadLease(key))); // written as 64 bits
            _setLease(key, LeaseWord.wrap(0));
            p.lapses = 0;
        }
        ++p.sitting;
        _setPanel(range, p);
        uint8 flags = p.flags | LeaseWordLib.SEAT;
        _sit(id, terms, gate, _seatKey(range, nodeId), first, flags, p.count, nodeId, p.rampFrom, bonus);
    }

    /// @inheritdoc IJobs
    function commit(bytes32 id, Lease calldata lease_, bytes32 commitment) external {
        require(commitment != 0, CommitmentZero(id, lease_.first()));
        (bytes32 key, LeaseWord word) = _requireHolder(id, lease_);
        require(word.flags() & LeaseWordLib.DIRECT == 0, DirectMismatch(id, true));

        // The preimage is what the holder will pass from now on: the claim, this commitment, this block.
        uint208 body = uint208(uint256(keccak256(abi.encode(word, commitment, block.number))) >> 48);
        _setLease(key, LeaseWordLib.make(word.flags(), Phase.Committed, block.timestamp, body));
        if (word.flags() & LeaseWordLib.SEAT != 0) {
            (bytes32 range, Panel memory p) = _requirePanel(id, lease_.first());
            ++p.committed;
            p.movedAt = uint40(block.timestamp);
            _setPanel(range, p);
        }

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
        (bool ready, uint256 opens) = _opensFor(terms, id, lease_, word);
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
            _pay(id, terms, l, results[i], key, false);
        }
    }

    /// @inheritdoc IJobs
    function accept(Terms calldata terms, Lease calldata lease_, Result calldata result, bytes calldata signature)
        external
    {
        bytes32 id = _jobId(terms);
        require(lease_.claimed.flags() & LeaseWordLib.SEAT == 0, SeatsAgree(id, lease_.first()));
        (bytes32 key, LeaseWord word) = _find(id, lease_);
        require(_isLiving(word.phase()), LeaseInPhase(id, lease_.first(), word.phase(), Phase.Claimed));
        _requireMatch(id, lease_, result, word);
        _requireAcceptance(id, terms, lease_.first(), lease_.claimed.node(), result, signature);
        _pay(id, terms, lease_, result, key, true);
    }

    /// @inheritdoc IJobs
    function settleOrder(
        Terms calldata terms,
        bytes calldata signature,
        uint32 nodeId,
        Result calldata result,
        bytes calldata acceptance
    ) external {
        Gate memory gate = _requireRunning();
        bytes32 id = _jobId(terms);
        _requireSignature(id, terms.requester(), id, signature);
        _requireAcceptance(id, terms, 0, nodeId, result, acceptance);
        require(terms.seats() == 1, TermsInvalid(id, "seats"));
        require(_nodes[nodeId].owner != address(0), NodeUnknown(nodeId));
        require(terms.node() == 0 || terms.node() == nodeId, NodeNotEligible(id, nodeId));
        uint256 escrow = _open(id, terms, gate);
        (bool ready, uint256 from) = _opening(terms, block.timestamp);
        require(ready, AfterNotComplete(id, terms.afterJob));
        require(block.timestamp >= terms.start(), NotOpenYet(id, terms.start()));

        uint256 gross = uint256(terms.priceAt(from, block.timestamp)) * terms.shards();
        _end(id, terms, JobState.Complete, escrow - gross);
        _payOut(id, terms, 0, nodeId, 0, gross, 0, true, result);
    }

    /* INTERNAL */

    function _clamp(bytes32 id, Terms calldata terms, uint256 first, uint16 count) private pure returns (uint16) {
        uint256 left = terms.shards() - first;
        require(left != 0, NothingToClaim(id));
        require(count != 0 && count <= terms.maxLease(), CountInvalid(id, count, terms.maxLease()));
        // forge-lint: disable-next-line(unsafe-typecast)
        return left < count ? uint16(left) : count; // < count
    }

    /// @dev Checks time, worker and draw; returns where the price ramp begins. `lapsedAt` is zero for a first claim.
    function _requireDraw(bytes32 id, Terms calldata terms, uint32 first, uint32 nodeId, JobWord j, uint256 lapsedAt)
        private
        view
        returns (uint256 from)
    {
        bool ready;
        (ready, from) = _opening(terms, j.at());
        require(ready, AfterNotComplete(id, terms.afterJob));
        require(block.timestamp >= terms.start(), NotOpenYet(id, terms.start()));
        if (lapsedAt != 0) from = lapsedAt;
        _requireWorker(id, terms, nodeId);
        uint256 at = _drawnAt(terms, id, first, nodeId, _nodes[nodeId], j.atBlock(), j.at(), from);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp >= at, NotDrawn(id, nodeId, uint40(at))); // a time
    }

    function _requireWorker(bytes32 id, Terms calldata terms, uint32 nodeId) private view {
        _requireOperator(nodeId);
        require(block.timestamp <= terms.expiry(), DeadlinePassed(id, 0, terms.expiry()));
        require(_eligible(terms, nodeId, _nodes[nodeId]), NodeNotEligible(id, nodeId));
    }

    /// @dev Writes the claim of shards `first … first + count − 1`; with several seats, opens their panel.
    function _take(
        bytes32 id,
        Terms calldata terms,
        Gate memory gate,
        JobWord word,
        uint32 first,
        uint16 count,
        uint32 nodeId,
        uint256 from,
        uint64 bonus
    ) private {
        uint8 flags = terms.direct() ? LeaseWordLib.DIRECT : 0;
        bytes32 key = id;
        if (count == terms.shards()) {
            flags |= LeaseWordLib.SOLO;
        } else {
            key = _leaseKey(id, first);
            Job memory j = word.unpack();
            if (first == j.cursor) j.cursor += count; // else it is taken over
            j.busy += count;
            _setJob(id, j.pack());
        }
        if (terms.seats() != 1) {
            uint40 now_ = uint40(block.timestamp);
            // forge-lint: disable-next-line(unsafe-typecast)
            _setPanel(key, Panel(flags, now_, word.atBlock(), word.at(), uint40(from), now_, count, 1, 0, 0)); // a time
            key = _seatKey(key, nodeId);
            flags |= LeaseWordLib.SEAT;
        }
        _sit(id, terms, gate, key, first, flags, count, nodeId, from, bonus);
    }

    /// @dev Writes one node's claim and locks its bond.
    function _sit(
        bytes32 id,
        Terms calldata terms,
        Gate memory gate,
        bytes32 key,
        uint32 first,
        uint8 flags,
        uint16 count,
        uint32 nodeId,
        uint256 from,
        uint64 bonus
    ) private {
        uint40 deadline = uint40(block.timestamp) + terms.exec();
        uint96 price = terms.priceAt(from, block.timestamp);
        LeaseWord claimed = LeaseWordLib.claimed(flags, deadline, nodeId, count, price, bonus);

        _lock(nodeId, _nodes[nodeId], terms.bond() * count, uint256(gate.minStake) * 1 ether);
        _setLease(key, claimed);

        emit LeaseClaimed(id, nodeId, first, claimed);
    }

    /// @dev The operator of a claimed lease, in time.
    function _requireHolder(bytes32 id, Lease calldata lease_) private view returns (bytes32 key, LeaseWord word) {
        (key, word) = _find(id, lease_);
        _requirePhase(id, lease_.first(), word, Phase.Claimed);
        require(LeaseWord.unwrap(word) == LeaseWord.unwrap(lease_.claimed), LeaseMismatch(id, lease_.first()));
        _requireOperator(lease_.claimed.node());
        require(block.timestamp <= lease_.claimed.at(), DeadlinePassed(id, lease_.first(), lease_.claimed.at()));
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
        bool accepted
    ) private {
        uint16 count = l.claimed.count();
        uint256 gross = uint256(l.claimed.price()) * count;
        _endRange(id, terms, key, count, gross, true);
        uint256 bonus = uint256(l.claimed.bonus()) * 1 gwei;
        _payOut(id, terms, l.first(), l.claimed.node(), terms.bond() * count, gross, bonus, accepted, result);
    }
}
