// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {Claiming} from "src-contracts/core/Claiming.sol";
import {Bound, IPanels} from "src-contracts/interfaces/IPanels.sol";
import {Bench, BenchLib} from "src-contracts/types/Bench.sol";
import {JobState, JobWord} from "src-contracts/types/Job.sol";
import {Lease, LeaseLib, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Panel, PanelLib, PanelWord} from "src-contracts/types/Panel.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice How nodes come to sit on a range together, and bind themselves: several seats, and audits.
/// @dev BOUND: no seat can see another's result and still choose its own: commits end before the first reveal. BENCH: a commitment is hashed onto
/// the range's bench; a seat has a word of its own only between sitting and committing, and when it shows its result by itself.
abstract contract Panels is Claiming, IPanels {
    /* SITTING */

    /// @inheritdoc IPanels
    function sit(Terms calldata terms, uint32 first, uint16 count, uint32 nodeId, bytes32 commitment) external {
        uint256 minStake = _requireRunning().minStake;
        bytes32 id = _jobId(terms);
        if (terms.seats() == 1) revert OneSeat(id);
        JobWord j = _jobWord(id);
        bytes32 range = id;
        PanelWord p = PanelWord.wrap(JobWord.unwrap(j));
        if (first != 0 || !j.isLease()) {
            range = _leaseKey(id, first);
            // Nothing can be where no shard was ever claimed; not looking spares 2,100 gas.
            bool fresh = j.state() == JobState.Open && first == j.cursor();
            p = PanelWord.wrap(fresh ? 0 : _words[range]);
        }
        uint64 bonus;
        if (p.isPanel()) {
            (bonus, p) = _join(terms, id, range, first, nodeId, p);
        } else {
            (range, p, bonus) =
                _openPanel(terms, id, range, first, count, nodeId, j, LeaseWord.wrap(PanelWord.unwrap(p)));
        }
        Bench bench_ = _seatOn(_loadBench(range), id, range, first, nodeId);
        uint96 price = terms.priceAt(p.rampFrom(), block.timestamp);
        LeaseWord claimed = _lockFor(terms, minStake, p.flags() | LeaseWordLib.SEAT, p.count(), nodeId, price, bonus);
        p = p.join();
        if (commitment == 0) {
            _setLease(_seatKey(range, nodeId), claimed);
            emit LeaseClaimed(id, nodeId, first, claimed);
        } else {
            p = p.commit();
            bench_ = bench_.commit(claimed, commitment);
            emit SeatCommitted(id, nodeId, first, claimed, commitment);
        }
        _setPanel(range, p);
        _setBench(range, bench_);
    }

    /// @inheritdoc IPanels
    function audit(Terms calldata terms, Lease calldata lease_, uint32 nodeId) external {
        uint256 minStake = _requireRunning().minStake;
        bytes32 id = _jobId(terms);
        uint32 first = lease_.first();
        (bytes32 range, LeaseWord word) = _find(id, lease_);
        LeaseWord claimed = lease_.claimed;
        if (claimed.flags() & LeaseWordLib.SEAT != 0) revert SeatsAgree(id, first);
        _requirePhase(id, first, word, Phase.Committed);
        if (word.body() != lease_.committedBody()) revert LeaseMismatch(id, first);
        bool pooled = _requireAuditor(terms, lease_, id, nodeId, word.at());

        if (pooled) _debit(terms.currency(), _treasury, uint256(claimed.price()) * claimed.count());
        PanelWord p = PanelLib.audited(claimed.flags(), word.at(), lease_.committedBlock(), claimed.count());
        emit AuditOpened(id, nodeId, first, pooled);

        Bench bench_ = Bench.wrap(0).seat(0, BenchLib.printOf(range, claimed.node())).commit(claimed, lease_.commitment);
        _words[_benchKey(range)] = Bench.unwrap(_seatOn(bench_, id, range, first, nodeId));
        uint8 flags = claimed.flags() | LeaseWordLib.SEAT;
        LeaseWord seat = _bind(id, terms, minStake, first, flags, claimed.count(), nodeId, claimed.price(), 0);
        _setLease(_seatKey(range, nodeId), seat);
        _setPanel(range, pooled ? p.mark(PanelLib.POOL) : p);
    }

    /// @inheritdoc IPanels
    function commitSeat(bytes32 id, Lease calldata lease_, bytes32 commitment) external {
        uint32 first = lease_.first();
        if (commitment == 0) revert CommitmentZero(id, first);
        if (lease_.claimed.flags() & LeaseWordLib.SEAT == 0) revert OneSeat(id);
        (bytes32 key,) = _requireHolder(id, lease_);
        (bytes32 range, PanelWord p) = _requirePanel(id, first);

        _setLease(key, LeaseWord.wrap(0));
        _setPanel(range, p.commit());
        bytes32 benchKey = _benchKey(range);
        _words[benchKey] = Bench.unwrap(Bench.wrap(_words[benchKey]).commit(lease_.claimed, commitment));

        emit LeaseCommitted(id, lease_.claimed.node(), first, commitment);
    }

    /// @inheritdoc IPanels
    function revealSeat(
        Terms calldata terms,
        uint32 first,
        Bound[] calldata bound,
        uint256 index,
        Result calldata result,
        bytes32 salt
    ) external {
        bytes32 id = _jobId(terms);
        (bytes32 range, PanelWord p) = _requirePanel(id, first);
        (bool ready, uint256 opens) = _panelOpens(terms, p);
        // forge-lint: disable-start(unsafe-typecast)
        require(ready && block.timestamp >= opens, TooEarly(id, first, uint40(opens))); // times
        uint256 closes = _revealCloses(terms, opens);
        require(block.timestamp <= closes, DeadlinePassed(id, first, uint40(closes)));
        // forge-lint: disable-end(unsafe-typecast)
        require(index < bound.length, SeatsMissing(id, first, index, bound.length));
        uint256 chain;
        for (uint256 i; i < bound.length; ++i) {
            chain = BenchLib.next(chain, bound[i].claimed, bound[i].commitment);
        }
        LeaseWord claimed = bound[index].claimed;
        uint32 nodeId = claimed.node();
        require(
            chain == _loadBench(range).chain() && result.root != 0
                && bound[index].commitment == _commitment(id, first, 0, nodeId, result, salt),
            LeaseMismatch(id, first)
        );
        bytes32 key = _seatKey(range, nodeId);
        _requirePhase(id, first, _loadLease(key), Phase.None);

        uint8 flags = p.flags() | LeaseWordLib.SEAT;
        _setLease(
            key, LeaseWordLib.make(flags, Phase.Revealed, block.timestamp, LeaseLib.revealedBody(claimed, result))
        );
        if (!p.has(PanelLib.SPOKEN)) _setPanel(range, p.mark(PanelLib.SPOKEN));

        emit LeaseRevealed(id, nodeId, first, result);
    }

    /* VIEWS */

    /// @inheritdoc IPanels
    function panel(bytes32 id, uint32 first) external view returns (Panel memory) {
        (, PanelWord p) = _requirePanel(id, first);
        return p.unpack();
    }

    /// @inheritdoc IPanels
    function bench(bytes32 id, uint32 first) external view returns (Bench) {
        (bytes32 range,) = _requirePanel(id, first);
        return _loadBench(range);
    }

    /// @inheritdoc IPanels
    function seatWord(bytes32 id, uint32 first, uint32 nodeId) external view returns (uint256) {
        (bytes32 range,) = _requirePanel(id, first);
        return _words[_seatKey(range, nodeId)];
    }

    /* INTERNAL */

    /// @dev Takes the next shards, or a range that lapsed, for several seats.
    function _openPanel(
        Terms calldata terms,
        bytes32 id,
        bytes32 waited,
        uint32 first,
        uint16 count,
        uint32 nodeId,
        JobWord j,
        LeaseWord lapsed
    ) private returns (bytes32 range, PanelWord p, uint64 bonus) {
        if (j.state() != JobState.Open) revert JobInState(id, j.state(), JobState.Open);
        uint256 lapsedAt;
        if (lapsed.phase() == Phase.Lapsed) {
            if (lapsed.node() == nodeId) revert TakeOverByFailed(id, first, nodeId);
            (lapsedAt, count, bonus) = (lapsed.at(), lapsed.count(), lapsed.bonus());
        } else {
            _requirePhase(id, first, lapsed, Phase.None);
            if (first != j.cursor()) revert NothingToClaim(id);
            count = _clamp(id, terms, first, count);
        }
        uint256 from = _requireDraw(id, terms, first, nodeId, j, lapsedAt);
        range = _occupy(id, terms, j, first, count);
        if (lapsedAt != 0 && range != waited) _setLease(waited, LeaseWord.wrap(0)); // it moves into the job's own slot
        uint8 flags = range == id ? LeaseWordLib.SOLO : 0;
        p = PanelLib.opened(flags, block.timestamp, j.atBlock(), j.at(), from, count, terms.seats());
    }

    /// @dev Checks that a node may join the panel that is there; takes the bonus that waits for it.
    function _join(Terms calldata terms, bytes32 id, bytes32 range, uint32 first, uint32 nodeId, PanelWord p)
        private
        returns (uint64 bonus, PanelWord rest)
    {
        if (p.sitting() >= p.asked()) revert NoSeatFree(id, first);
        uint256 until = _joinUntil(terms, p);
        // forge-lint: disable-next-line(unsafe-typecast)
        if (block.timestamp > until) revert DeadlinePassed(id, first, uint40(until)); // a time
        Node storage n = _requireOperator(nodeId);
        if (!_eligible(terms, nodeId, n)) revert NodeNotEligible(id, nodeId);
        uint256 from = _drawnAt(terms, id, first, nodeId, n, p.postBlock(), p.postedAt(), p.rampFrom());
        // forge-lint: disable-next-line(unsafe-typecast)
        if (block.timestamp < from) revert NotDrawn(id, nodeId, uint40(from)); // a time
        return _takeBonus(range, p);
    }

    /// @dev Checks that the lease is drawn for an audit which is still open, and that the node is drawn for it and a stranger to both sides.
    function _requireAuditor(
        Terms calldata terms,
        Lease calldata lease_,
        bytes32 id,
        uint32 nodeId,
        uint256 committedAt
    ) private view returns (bool pooled) {
        uint32 first = lease_.first();
        bool drawn;
        (, drawn, pooled) = _auditDraw(terms, id, first, lease_.committedBlock());
        // The protocol pays only where a holder that was not drawn cannot withdraw for nothing and roll again: in DPU, where the bond is a
        // multiple of the price, and where every node may take the job.
        if (!drawn || (pooled && (terms.node() != 0 || terms.currency() != TOKEN))) revert NotAudited(id, first);
        // The next second is the holder's: who sees its result can no longer sit down.
        uint256 until = committedAt + terms.rules.auditWindow() - 1;
        // forge-lint: disable-next-line(unsafe-typecast)
        if (block.timestamp > until) revert DeadlinePassed(id, first, uint40(until)); // a time
        Node storage n = _requireOperator(nodeId);
        if (!_able(terms, n) || n.owner == _nodes[lease_.claimed.node()].owner || n.owner == terms.requester()) {
            revert NodeNotEligible(id, nodeId);
        }
        uint256 from = _sortition(terms, 1, id, first, nodeId, n, lease_.committedBlock(), committedAt, committedAt);
        // Everyone may from the middle of its window on, so that no audit is missed because the drawn stay away.
        uint256 middle = committedAt + terms.rules.auditWindow() / 2;
        if (from > middle) from = middle;
        // forge-lint: disable-next-line(unsafe-typecast)
        if (block.timestamp < from) revert NotDrawn(id, nodeId, uint40(from)); // a time
    }

    /// @dev The bench of `range` with the node on it. Who sat there before cannot sit again.
    function _seatOn(Bench bench_, bytes32 id, bytes32 range, uint32 first, uint32 nodeId)
        private
        pure
        returns (Bench)
    {
        uint256 print = BenchLib.printOf(range, nodeId);
        (bool free, uint256 place) = bench_.placeFor(print);
        if (!free) revert SeatedAlready(id, first, nodeId);
        return bench_.seat(place, print);
    }
}
