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
    /// @dev A place that is being taken.
    struct Place {
        bytes32 id;
        bytes32 range;
        uint32 first;
        uint32 nodeId;
        uint8 flags;
        uint96 price;
        uint64 bonus;
    }

    /* SITTING */

    /// @inheritdoc IPanels
    function sit(Terms calldata terms, uint32 first, uint16 count, uint32 nodeId, bytes32 commitment) external {
        Gate memory gate = _requireRunning();
        Place memory at;
        (at.id, at.first, at.nodeId) = (_jobId(terms), first, nodeId);
        require(terms.seats() != 1, OneSeat(at.id));
        JobWord j = _jobWord(at.id);
        LeaseWord word = LeaseWord.wrap(JobWord.unwrap(j));
        if (first == 0 && j.state() == JobState.Leased) {
            at.range = at.id;
        } else {
            at.range = _leaseKey(at.id, first);
            // Nothing can be where no shard was ever claimed; not looking spares 2,100 gas.
            bool fresh = j.state() == JobState.Open && first == j.cursor();
            word = fresh ? LeaseWord.wrap(0) : _loadLease(at.range);
        }
        Panel memory p;
        if (word.phase() == Phase.Seated) {
            p = PanelWord.wrap(LeaseWord.unwrap(word)).unpack();
            _join(terms, at, p);
        } else {
            p = _openPanel(terms, at, count, j, word);
        }

        at.flags = p.flags | LeaseWordLib.SEAT;
        at.price = terms.priceAt(p.rampFrom, block.timestamp);
        _take(terms, gate, at, p, commitment);
    }

    /// @inheritdoc IPanels
    function audit(Terms calldata terms, Lease calldata lease_, uint32 nodeId) external {
        Gate memory gate = _requireRunning();
        Place memory at;
        (at.id, at.first, at.nodeId) = (_jobId(terms), lease_.first(), nodeId);
        LeaseWord word;
        (at.range, word) = _find(at.id, lease_);
        LeaseWord claimed = lease_.claimed;
        require(claimed.flags() & LeaseWordLib.SEAT == 0, SeatsAgree(at.id, at.first));
        _requirePhase(at.id, at.first, word, Phase.Committed);
        require(word.body() == lease_.committedBody(), LeaseMismatch(at.id, at.first));
        bool pooled = _requireAuditor(terms, lease_, at, word.at());

        uint256 gross = uint256(claimed.price()) * claimed.count();
        if (pooled) _debit(terms.currency(), _treasury, gross);
        Panel memory p = Panel({
            flags: claimed.flags(),
            openedAt: word.at(),
            // forge-lint: disable-next-line(unsafe-typecast)
            postBlock: uint40(lease_.committedBlock()), // a block
            postedAt: word.at(),
            rampFrom: word.at(),
            movedAt: word.at(),
            count: claimed.count(),
            sitting: 1,
            committed: 1,
            asked: PanelLib.AUDIT,
            convicted: 0,
            marks: pooled ? PanelLib.POOL : 0
        });
        Bench bench_ = Bench.wrap(0).seat(0, BenchLib.printOf(at.range, claimed.node()));
        _setBench(at.range, bench_.commit(claimed, lease_.commitment));
        emit AuditOpened(at.id, nodeId, at.first, pooled);

        at.flags = p.flags | LeaseWordLib.SEAT;
        at.price = claimed.price();
        _take(terms, gate, at, p, 0);
    }

    /// @inheritdoc IPanels
    function commitSeat(bytes32 id, Lease calldata lease_, bytes32 commitment) external {
        uint32 first = lease_.first();
        require(commitment != 0, CommitmentZero(id, first));
        require(lease_.claimed.flags() & LeaseWordLib.SEAT != 0, OneSeat(id));
        (bytes32 key,) = _requireHolder(id, lease_);
        (bytes32 range, Panel memory p) = _requirePanel(id, first);

        _setLease(key, LeaseWord.wrap(0));
        ++p.committed;
        p.movedAt = uint40(block.timestamp);
        _setPanel(range, p);
        _setBench(range, _loadBench(range).commit(lease_.claimed, commitment));

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
        (bytes32 range, Panel memory p) = _requirePanel(id, first);
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

        uint8 flags = p.flags | LeaseWordLib.SEAT;
        _setLease(
            key, LeaseWordLib.make(flags, Phase.Revealed, block.timestamp, LeaseLib.revealedBody(claimed, result))
        );
        if (!p.has(PanelLib.SPOKEN)) {
            p.marks |= PanelLib.SPOKEN;
            _setPanel(range, p);
        }

        emit LeaseRevealed(id, nodeId, first, result);
    }

    /* VIEWS */

    /// @inheritdoc IPanels
    function panel(bytes32 id, uint32 first) external view returns (Panel memory p) {
        (, p) = _requirePanel(id, first);
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
    function _openPanel(Terms calldata terms, Place memory at, uint16 count, JobWord j, LeaseWord lapsed)
        private
        returns (Panel memory p)
    {
        require(j.state() == JobState.Open, JobInState(at.id, j.state(), JobState.Open));
        uint256 lapsedAt;
        if (lapsed.phase() == Phase.Lapsed) {
            require(lapsed.node() != at.nodeId, TakeOverByFailed(at.id, at.first, at.nodeId));
            (lapsedAt, count, at.bonus) = (lapsed.at(), lapsed.count(), lapsed.bonus());
        } else {
            _requirePhase(at.id, at.first, lapsed, Phase.None);
            require(at.first == j.cursor(), NothingToClaim(at.id));
            count = _clamp(at.id, terms, at.first, count);
        }
        uint256 from = _requireDraw(at.id, terms, at.first, at.nodeId, j, lapsedAt);
        bytes32 waited = at.range;
        at.range = _occupy(at.id, terms, j, at.first, count);
        if (lapsedAt != 0 && at.range != waited) _setLease(waited, LeaseWord.wrap(0)); // it moves into the job's own slot
        uint40 now_ = uint40(block.timestamp);
        p.flags = at.range == at.id ? LeaseWordLib.SOLO : 0;
        (p.openedAt, p.movedAt, p.count, p.asked) = (now_, now_, count, terms.seats());
        // forge-lint: disable-next-line(unsafe-typecast)
        (p.postBlock, p.postedAt, p.rampFrom) = (j.atBlock(), j.at(), uint40(from)); // a time
    }

    /// @dev Checks that a node may join the panel that is there.
    function _join(Terms calldata terms, Place memory at, Panel memory p) private {
        require(p.sitting < p.asked, NoSeatFree(at.id, at.first));
        uint256 until = _joinUntil(terms, p);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp <= until, DeadlinePassed(at.id, at.first, uint40(until))); // a time
        _requireOperator(at.nodeId);
        require(_eligible(terms, at.nodeId, _nodes[at.nodeId]), NodeNotEligible(at.id, at.nodeId));
        uint256 from =
            _drawnAt(terms, at.id, at.first, at.nodeId, _nodes[at.nodeId], p.postBlock, p.postedAt, p.rampFrom);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp >= from, NotDrawn(at.id, at.nodeId, uint40(from))); // a time
        at.bonus = _takeBonus(at.range, p);
    }

    /// @dev Checks that the lease is drawn for an audit which is still open, and that the node is drawn for it and a stranger to both sides.
    function _requireAuditor(Terms calldata terms, Lease calldata lease_, Place memory at, uint256 committedAt)
        private
        view
        returns (bool pooled)
    {
        bool drawn;
        (, drawn, pooled) = _auditDraw(terms, at.id, at.first, lease_.committedBlock());
        // The protocol pays only where a holder that was not drawn cannot withdraw for nothing and roll again: in DPU, where the bond is a
        // multiple of the price, and where every node may take the job.
        require(drawn && (!pooled || (terms.node() == 0 && terms.currency() == TOKEN)), NotAudited(at.id, at.first));
        // The next second is the holder's: who sees its result can no longer sit down.
        uint256 until = committedAt + terms.rules.auditWindow() - 1;
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp <= until, DeadlinePassed(at.id, at.first, uint40(until))); // a time
        _requireOperator(at.nodeId);
        Node storage n = _nodes[at.nodeId];
        require(
            _able(terms, n) && n.owner != _nodes[lease_.claimed.node()].owner && n.owner != terms.requester(),
            NodeNotEligible(at.id, at.nodeId)
        );
        uint256 from =
            _sortition(terms, 1, at.id, at.first, at.nodeId, n, lease_.committedBlock(), committedAt, committedAt);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp >= from, NotDrawn(at.id, at.nodeId, uint40(from))); // a time
    }

    /// @dev Seats the node, with its bond locked and, when it has computed already, its commitment on the bench.
    function _take(Terms calldata terms, Gate memory gate, Place memory at, Panel memory p, bytes32 commitment)
        private
    {
        Bench bench_ = _loadBench(at.range);
        uint256 print = BenchLib.printOf(at.range, at.nodeId);
        (bool free, uint256 place) = bench_.placeFor(print);
        require(free, SeatedAlready(at.id, at.first, at.nodeId));
        bench_ = bench_.seat(place, print);
        LeaseWord claimed = _bind(at.id, terms, gate, at.first, at.flags, p.count, at.nodeId, at.price, at.bonus);
        ++p.sitting;
        if (commitment == 0) {
            _setLease(_seatKey(at.range, at.nodeId), claimed);
        } else {
            ++p.committed;
            p.movedAt = uint40(block.timestamp);
            bench_ = bench_.commit(claimed, commitment);
            emit LeaseCommitted(at.id, at.nodeId, at.first, commitment);
        }
        _setPanel(at.range, p);
        _setBench(at.range, bench_);
    }
}
