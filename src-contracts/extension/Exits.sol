// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {Stakes} from "src-contracts/extension/Stakes.sol";
import {IExits} from "src-contracts/interfaces/IJobs.sol";
import {Job, JobState, JobWord, JobWordLib} from "src-contracts/types/Job.sol";
import {Lease, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice Settle, accept, lapse, cancel, close: how money leaves a job.
/// @dev LIVENESS: every escrowed unit and every bond leaves by `settle`, `lapse`, `close` or `sweep`; anyone may call them, none can be
/// paused, none waits for a party. ROUNDING: the fee rounds down, and price − fee goes to the node, so the parts sum exactly.
/// PULL: paying is moving balances; no receiver can block another.
abstract contract Exits is Stakes, IExits {
    /* EXITS WITHOUT A RESULT */

    /// @inheritdoc IExits
    function lapse(Terms calldata terms, Lease calldata lease_) external nonReentrant {
        bytes32 id = _jobId(terms);
        uint32 first = lease_.first();
        (bytes32 key, LeaseWord word) = _find(id, lease_);
        bool withheld = _requireOverdue(id, terms, lease_, word);
        Params storage p = _params[terms.rules.version()];

        uint256 bond = terms.bond() * lease_.claimed.count();
        uint256 slashed = withheld ? bond : bond * p.noShowBps / Parameters.BPS;
        Node storage n = _nodes[lease_.claimed.node()];
        n.record -= withheld ? n.record / 2 : n.record / 8;
        uint16 record = n.record;

        Job memory j;
        if (key == id) {
            // The lease was the whole job: the job gets its own word back, with a fresh seed for the next draw.
            j = JobWordLib.opened(terms.shards(), terms.worstCase()).unpack();
        } else {
            j = _jobWord(id).unpack();
            j.busy -= lease_.claimed.count();
        }
        _setJob(id, j.pack());

        // The holder's own bonus (from earlier failures) stays with the lease.
        bytes32 lapsedKey = _leaseKey(id, first);
        uint64 bonus = lease_.claimed.bonus() + _retryGwei(slashed, p);
        _setLease(lapsedKey, LeaseWordLib.lapsed(block.timestamp, lease_.claimed.node(), lease_.claimed.count(), bonus));

        emit LeaseLapsed(id, lease_.claimed.node(), first, slashed, uint256(bonus) * 1 gwei, record, withheld);

        if (j.state == JobState.Cancelled && j.busy == 0) _end(id, terms, JobState.Closed, j.left);
        _slash(lease_.claimed.node(), bond, slashed, p);
    }

    /// @inheritdoc IExits
    function cancel(Terms calldata terms) external {
        bytes32 id = _jobId(terms);
        require(msg.sender == terms.requester(), NotRequester(id, msg.sender));
        JobWord word = _jobWord(id);
        if (word.state() == JobState.None) {
            // An order that nobody has brought yet: nothing is in escrow, its id is spent.
            _setJob(id, JobWordLib.tombstone(JobState.Closed, block.timestamp));
            emit JobCancelled(id, 0);
            return;
        }
        require(word.state() == JobState.Open, JobInState(id, word.state(), JobState.Open));
        Job memory j = word.unpack();
        uint256 from = uint256(j.at) + _params[terms.rules.version()].openFor;
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp >= from, TooEarly(id, 0, uint40(from))); // a time

        uint256 needed = uint256(j.busy) * terms.maxPrice();
        uint256 refund = j.left - needed;
        emit JobCancelled(id, j.busy == 0 ? 0 : refund);
        if (j.busy == 0) {
            _end(id, terms, JobState.Closed, refund);
            return;
        }
        j.state = JobState.Cancelled;
        // forge-lint: disable-next-line(unsafe-typecast)
        j.left = uint96(needed); // ≤ left
        _setJob(id, j.pack());
        _credit(terms.currency(), terms.requester(), refund);
    }

    /// @inheritdoc IExits
    function close(Terms calldata terms) external {
        bytes32 id = _jobId(terms);
        Job memory j = _requireJob(id, JobState.Open).unpack();
        require(block.timestamp > terms.expiry(), TooEarly(id, 0, terms.expiry() + 1));
        require(j.busy == 0, JobBusy(id));
        _end(id, terms, JobState.Closed, j.left);
    }

    /// @inheritdoc IExits
    function sweep(bytes32 id, uint32 first) external {
        _requireJob(id, JobState.Closed);
        bytes32 key = _leaseKey(id, first);
        LeaseWord word = _loadLease(key);
        _requirePhase(id, first, word, Phase.Lapsed);
        uint256 amount = uint256(word.bonus()) * 1 gwei;

        _setLease(key, LeaseWord.wrap(0));
        _credit(TOKEN, _treasury, amount);

        emit BonusSwept(id, first, amount);
    }

    /* INTERNAL */

    /// @dev Checks that the holder missed a deadline. `withheld`: it had committed.
    function _requireOverdue(bytes32 id, Terms calldata terms, Lease calldata lease_, LeaseWord word)
        private
        view
        returns (bool withheld)
    {
        Phase phase = word.phase();
        require(
            phase == Phase.Claimed || phase == Phase.Committed, LeaseInPhase(id, lease_.first(), phase, Phase.Claimed)
        );
        uint256 closes;
        if (phase == Phase.Claimed) {
            require(LeaseWord.unwrap(word) == LeaseWord.unwrap(lease_.claimed), LeaseMismatch(id, lease_.first()));
            closes = lease_.claimed.at();
        } else {
            require(word.body() == lease_.committedBody(), LeaseMismatch(id, lease_.first()));
            (bool ready, uint256 opens) = _revealOpens(terms, id, lease_.first(), word.at(), lease_.committedBlock());
            require(ready, TooEarly(id, lease_.first(), 0));
            closes = _revealCloses(terms, opens);
            withheld = true;
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp > closes, TooEarly(id, lease_.first(), uint40(closes + 1))); // a time
    }
}
