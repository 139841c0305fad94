// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {Slashing} from "src-contracts/court/Slashing.sol";
import {IExits} from "src-contracts/interfaces/IJobs.sol";
import {Bench} from "src-contracts/types/Bench.sol";
import {Job, JobState, JobWord, JobWordLib} from "src-contracts/types/Job.sol";
import {Lease, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {PanelLib, PanelWord} from "src-contracts/types/Panel.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice Settle, accept, lapse, cancel, close: how money leaves a job.
/// @dev LIVENESS: every escrowed unit and every bond leaves by `settle`, `lapse`, `close` or `sweep`; anyone may call them, none can be
/// paused, none waits for a party. ROUNDING: the fee rounds down, and price − fee goes to the node, so the parts sum exactly.
/// PULL: paying is moving balances; no receiver can block another.
abstract contract Exits is Slashing, IExits {
    /* EXITS WITHOUT A RESULT */

    /// @inheritdoc IExits
    function lapse(Terms calldata terms, Lease calldata lease_) external nonReentrant {
        bytes32 id = _jobId(terms);
        (bytes32 key, LeaseWord word) = _find(id, lease_);
        bool withheld = _requireOverdue(id, terms, lease_, word);
        Params storage p = _params[terms.rules.version()];

        LeaseWord claimed = lease_.claimed;
        uint32 nodeId = claimed.node();
        uint256 bond = terms.bond() * claimed.count();
        uint256 slashed = withheld ? bond : bond * p.noShowBps / Parameters.BPS;
        Node storage n = _nodes[nodeId];
        n.record -= withheld ? n.record / 2 : n.record / 8;

        // The holder's own bonus (from earlier failures) stays with the range.
        uint64 bonus = claimed.bonus() + _retryGwei(slashed, p);
        emit LeaseLapsed(id, nodeId, lease_.first(), slashed, uint256(bonus) * 1 gwei, n.record, withheld);

        if (claimed.flags() & LeaseWordLib.SEAT != 0) _leaveSeat(id, terms, lease_, key, bonus);
        else _reopen(id, terms, key, lease_.first(), claimed.count(), nodeId, bonus);
        _slash(nodeId, bond, slashed, p);
    }

    /// @inheritdoc IExits
    function cancel(Terms calldata terms) external {
        bytes32 id = _jobId(terms);
        require(msg.sender == terms.requester(), NotRequester(id, msg.sender));
        JobWord word = _jobWord(id);
        if (word.state() == JobState.None) {
            // An order that nobody has brought yet: nothing is in escrow, its id is spent.
            _setJob(id, JobWordLib.tombstone(JobState.Closed, block.timestamp, 0));
            emit JobCancelled(id, 0);
            return;
        }
        require(word.state() == JobState.Open, JobInState(id, word.state(), JobState.Open));
        Job memory j = word.unpack();
        uint256 from = uint256(j.at) + _params[terms.rules.version()].openFor;
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp >= from, TooEarly(id, 0, uint40(from))); // a time

        uint256 needed = uint256(j.busy) * terms.worstShard();
        uint256 refund = j.left - needed;
        emit JobCancelled(id, j.busy == 0 ? 0 : refund);
        if (j.busy == 0) {
            _end(id, terms, JobState.Closed, refund, 0);
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
        _end(id, terms, JobState.Closed, j.left, 0);
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

    /// @dev Frees a seat; its bonus waits for the next who joins. With nobody left the range is free to be taken over. An auditor that fails leaves
    /// the holder alone, who then ends the panel by itself.
    function _leaveSeat(bytes32 id, Terms calldata terms, Lease calldata lease_, bytes32 seat, uint64 bonus) private {
        uint32 first = lease_.first();
        (bytes32 range, PanelWord p) = _requirePanel(id, first);
        uint64 waiting;
        (waiting, p) = _takeBonus(range, p);
        bonus += waiting;
        p = p.leave();
        _setLease(seat, LeaseWord.wrap(0)); // its print on the bench keeps the node from sitting here again
        if (p.sitting() == 0) {
            _setBench(range, Bench.wrap(0));
            _reopen(id, terms, range, first, p.count(), lease_.claimed.node(), bonus);
            return;
        }
        if (p.asked() == PanelLib.AUDIT) {
            p = p.ask(1);
            if (p.has(PanelLib.POOL)) {
                _credit(terms.currency(), _treasury, uint256(lease_.claimed.price()) * p.count());
                p = p.unmark(PanelLib.POOL);
            }
        }
        _setPanel(range, p.mark(PanelLib.BONUS).move());
        _setLease(_bonusKey(range), LeaseWord.wrap(bonus));
    }

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
