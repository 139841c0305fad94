// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {Slashing} from "src-contracts/court/Slashing.sol";
import {IPanels} from "src-contracts/interfaces/IJobs.sol";
import {Lease, LeaseLib, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Outcome, Panel} from "src-contracts/types/Panel.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice Ranges that several nodes compute: how they agree. See the table of outcomes in `docs/assurance.md`.
/// @dev BOUND: no seat can see another's result and still choose its own: commits end before the first reveal. SUM: every winner is paid
/// its own price, which is at most `maxPrice`, of the `seats · maxPrice` in escrow for each shard; the rest goes back.
abstract contract Panels is Slashing, IPanels {
    /// @dev A panel that is being ended. `shown[i]`: seat i has shown its result.
    struct Count {
        bytes32 id;
        bytes32 range;
        uint32 first;
        uint256 closes;
        bool[] shown;
    }

    /// @inheritdoc IPanels
    function agree(
        Terms calldata terms,
        uint32 first,
        Lease[] calldata seats,
        Result[] calldata results,
        bytes32[] calldata salts
    ) external nonReentrant {
        require(
            seats.length == results.length && seats.length == salts.length, LengthMismatch(seats.length, results.length)
        );
        Count memory c;
        c.id = _jobId(terms);
        c.first = first;
        Panel memory p;
        (c.range, p) = _requirePanel(c.id, first);
        require(seats.length == p.committed, SeatsMissing(c.id, first, seats.length, p.committed));
        c.shown = new bool[](seats.length);
        _hear(c, terms, p, seats, results, salts);

        (uint256 winner, uint256 most, uint256 heard) = _tally(c, results);
        Outcome outcome = heard == 0 ? Outcome.Silent : most > terms.seats() / 2 ? Outcome.Agreed : Outcome.Unresolved;
        _conclude(c, terms, p, seats, results, outcome, winner);
    }

    /* VIEWS */

    /// @inheritdoc IPanels
    function panel(bytes32 id, uint32 first) external view returns (Panel memory p) {
        (, p) = _requirePanel(id, first);
    }

    /// @inheritdoc IPanels
    function seatWord(bytes32 id, uint32 first, uint32 nodeId) external view returns (uint256) {
        (bytes32 range,) = _requirePanel(id, first);
        return _words[_seatKey(range, nodeId)];
    }

    /* INTERNAL */

    /// @dev Checks every seat against its word, reveals those that come with a salt, and clears the words.
    function _hear(
        Count memory c,
        Terms calldata terms,
        Panel memory p,
        Lease[] calldata seats,
        Result[] calldata results,
        bytes32[] calldata salts
    ) private {
        (bool ready, uint256 opens) = _panelOpens(terms, p);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(ready && block.timestamp >= opens, TooEarly(c.id, c.first, uint40(opens))); // a time
        c.closes = _revealCloses(terms, opens);
        uint256 last; // the node before, so that none counts twice
        for (uint256 i; i < seats.length; ++i) {
            Lease calldata seat = seats[i];
            LeaseWord claimed = seat.claimed;
            uint32 nodeId = claimed.node();
            require(
                nodeId > last && seat.first() == c.first && claimed.flags() == p.flags | LeaseWordLib.SEAT,
                LeaseMismatch(c.id, c.first)
            );
            last = nodeId;
            bytes32 key = _seatKey(c.range, nodeId);
            c.shown[i] = _hearSeat(c, terms, seat, results[i], salts[i], _loadLease(key));
            _setLease(key, LeaseWord.wrap(0));
        }
    }

    /// @dev Whether the seat has shown its result, before or by this salt. Reverts while it still may.
    function _hearSeat(
        Count memory c,
        Terms calldata terms,
        Lease calldata seat,
        Result calldata result,
        bytes32 salt,
        LeaseWord word
    ) private returns (bool) {
        if (word.phase() == Phase.Revealed) {
            require(word.body() == LeaseLib.revealedBody(seat.claimed, result), LeaseMismatch(c.id, c.first));
            uint256 held = _heldUntil(terms, word.at());
            // forge-lint: disable-next-line(unsafe-typecast)
            require(block.timestamp > held, TooEarly(c.id, c.first, uint40(held + 1))); // a time
            return true;
        }
        _requirePhase(c.id, c.first, word, Phase.Committed);
        require(word.body() == seat.committedBody(), LeaseMismatch(c.id, c.first));
        // forge-lint: disable-start(unsafe-typecast)
        if (salt == 0) {
            require(block.timestamp > c.closes, TooEarly(c.id, c.first, uint40(c.closes + 1))); // a time
            return false;
        }
        require(block.timestamp <= c.closes, DeadlinePassed(c.id, c.first, uint40(c.closes))); // a time
        uint32 window = terms.window();
        require(window == 0, TooEarly(c.id, c.first, uint40(block.timestamp) + window + 1));
        // forge-lint: disable-end(unsafe-typecast)
        uint32 nodeId = seat.claimed.node();
        require(seat.commitment == _commitment(c.id, c.first, 0, nodeId, result, salt), LeaseMismatch(c.id, c.first));
        emit LeaseRevealed(c.id, nodeId, c.first, result);
        return true;
    }

    /// @dev The first seat whose root most of those who spoke have shown, how many that are, and how many spoke. At most five seats.
    function _tally(Count memory c, Result[] calldata results)
        private
        pure
        returns (uint256 winner, uint256 most, uint256 heard)
    {
        for (uint256 i; i < results.length; ++i) {
            if (!c.shown[i]) continue;
            ++heard;
            uint256 same;
            for (uint256 k = i; k < results.length; ++k) {
                if (c.shown[k] && results[k].root == results[i].root) ++same;
            }
            if (same > most) (winner, most) = (i, same);
        }
    }

    /// @dev Pays, slashes, and gives the range back to its job.
    function _conclude(
        Count memory c,
        Terms calldata terms,
        Panel memory p,
        Lease[] calldata seats,
        Result[] calldata results,
        Outcome outcome,
        uint256 winner
    ) private {
        uint256 gross;
        uint256[] memory parts = new uint256[](seats.length);
        for (uint256 i; i < seats.length; ++i) {
            if (!c.shown[i]) continue;
            uint256 price = uint256(seats[i].claimed.price()) * p.count;
            if (outcome == Outcome.Unresolved) parts[i] = price / 2;
            else if (results[i].root == results[winner].root) parts[i] = price;
            gross += parts[i];
        }
        uint64 bonus = _takeBonus(c.range, p);
        if (outcome != Outcome.Silent) {
            _endRange(c.id, terms, c.range, p.count, gross, outcome == Outcome.Agreed);
            emit PanelEnded(c.id, c.first, outcome, results[winner]);
        }
        uint256 bond = terms.bond() * p.count;
        for (uint256 i; i < seats.length; ++i) {
            uint32 nodeId = seats[i].claimed.node();
            uint64 own = seats[i].claimed.bonus();
            if (!c.shown[i] || (outcome == Outcome.Agreed && results[i].root != results[winner].root)) {
                bonus += own + _fault(c, terms, nodeId, bond, !c.shown[i]);
            } else if (outcome == Outcome.Agreed) {
                uint256 extra = uint256(own) * 1 gwei;
                _payOut(c.id, terms, c.first, nodeId, bond, parts[i], extra, false, results[i]);
            } else {
                bonus += own;
                _payHalf(c, terms, nodeId, bond, parts[i]);
            }
        }
        if (outcome == Outcome.Silent) {
            _reopen(c.id, terms, c.range, c.first, p.count, 0, bonus);
            emit PanelEnded(c.id, c.first, outcome, Result(0, 0, 0));
        } else {
            _credit(TOKEN, _treasury, uint256(bonus) * 1 gwei); // no retry is left to fund
        }
    }

    /// @dev The bonus of lapsed seats that nobody came for.
    function _takeBonus(bytes32 range, Panel memory p) private returns (uint64 bonus) {
        if (p.lapses == 0) return 0;
        bytes32 key = _bonusKey(range);
        bonus = uint64(LeaseWord.unwrap(_loadLease(key))); // written as 64 bits
        _setLease(key, LeaseWord.wrap(0));
    }

    /// @dev Takes a seat's whole bond. Returns what of it funds a retry, in gwei.
    function _fault(Count memory c, Terms calldata terms, uint32 nodeId, uint256 bond, bool withheld)
        private
        returns (uint64)
    {
        Params storage p = _params[terms.rules.version()];
        Node storage n = _nodes[nodeId];
        n.record -= n.record / 2;
        emit SeatFaulted(c.id, nodeId, c.first, bond, n.record, withheld);
        _slash(nodeId, bond, bond, p);
        return _retryGwei(bond, p);
    }

    /// @dev Frees the bond and pays; what nobody agreed on proves nothing, so the record stays.
    function _payHalf(Count memory c, Terms calldata terms, uint32 nodeId, uint256 bond, uint256 gross) private {
        Node storage n = _nodes[nodeId];
        uint256 fee = gross * terms.rules.feeBps() / Parameters.BPS;
        // forge-lint: disable-next-line(unsafe-typecast)
        n.locked -= uint96(bond); // what `_lock` added
        _creditPaid(terms.currency(), n.owner, gross - fee, fee);
        emit LeaseSettled(c.id, nodeId, c.first, gross - fee, fee, n.record);
    }
}
