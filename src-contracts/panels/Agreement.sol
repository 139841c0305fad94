// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {Slashing} from "src-contracts/court/Slashing.sol";
import {IPanels, Said} from "src-contracts/interfaces/IPanels.sol";
import {BenchLib} from "src-contracts/types/Bench.sol";
import {LeaseLib, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Outcome, Panel, PanelLib} from "src-contracts/types/Panel.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice How a panel ends. See the table of outcomes in `docs/assurance.md`.
/// @dev SUM: every winner is paid its own price, which is at most `maxPrice`, of what the job has in escrow for each seat; the rest goes back.
abstract contract Agreement is Slashing, IPanels {
    /// @dev A panel that is being ended.
    struct Count {
        bytes32 id;
        bytes32 range;
        uint32 first;
        uint256 closes;
        Outcome outcome;
        /// The seat whose result stands.
        uint256 winner;
        /// Bit i: seat i has shown its result; has done so in this call; a jury has dealt with it, so that it is in no vote.
        uint256 shown;
        uint256 now_;
        uint256 judged;
        /// What each has shown, as far as results are compared; see `_tag`.
        bytes32[] tags;
        /// What the job has paid for a seat that a jury has dealt with.
        uint256[] spent;
        /// What juries have taken of the bond of each.
        uint256[] taken;
    }

    /// @inheritdoc IPanels
    function agree(Terms calldata terms, uint32 first, Said[] calldata said) external nonReentrant {
        Count memory c;
        (c.id, c.first) = (_jobId(terms), first);
        Panel memory p;
        (c.range, p) = _requirePanel(c.id, first);
        require(said.length == p.committed, SeatsMissing(c.id, first, said.length, p.committed));
        c.tags = new bytes32[](said.length);
        (c.spent, c.taken) = (new uint256[](said.length), new uint256[](said.length));
        _hear(c, terms, p, said);
        _tally(c, p);
        _conclude(c, terms, p, said);
    }

    /* INTERNAL */

    /// @dev Checks every seat against the bench, in the order of the commitments, and hears what it has to say.
    function _hear(Count memory c, Terms calldata terms, Panel memory p, Said[] calldata said) private {
        (bool ready, uint256 opens) = _panelOpens(terms, p);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(ready && block.timestamp >= opens, TooEarly(c.id, c.first, uint40(opens))); // a time
        c.closes = _revealCloses(terms, opens);
        uint256 chain;
        for (uint256 i; i < said.length; ++i) {
            Said calldata seat = said[i];
            bool silent = seat.result.root == 0;
            bytes32 commitment =
                silent ? seat.salt : _commitment(c.id, c.first, 0, seat.claimed.node(), seat.result, seat.salt);
            chain = BenchLib.next(chain, seat.claimed, commitment);
            bool before = p.has(PanelLib.SPOKEN) && _hearBefore(c, terms, seat, i);
            if (!before && _hearNow(c, terms, silent)) {
                c.shown |= 1 << i;
                c.now_ |= 1 << i;
            }
            c.tags[i] = _tag(terms, seat.result);
        }
        require(chain == _loadBench(c.range).chain(), LeaseMismatch(c.id, c.first));
        _words[_benchKey(c.range)] = 0;
    }

    /// @dev What the seat has shown by itself. False when it has shown nothing yet.
    function _hearBefore(Count memory c, Terms calldata terms, Said calldata seat, uint256 i) private returns (bool) {
        bytes32 key = _seatKey(c.range, seat.claimed.node());
        LeaseWord word = _loadLease(key);
        if (word.phase() == Phase.None) return false;
        _setLease(key, LeaseWord.wrap(0));
        if (word.phase() == Phase.Convicted || word.phase() == Phase.Excused) {
            c.judged |= 1 << i;
            c.spent[i] = word.body();
            return true;
        }
        _requirePhase(c.id, c.first, word, Phase.Revealed);
        require(word.body() == LeaseLib.revealedBody(seat.claimed, seat.result), LeaseMismatch(c.id, c.first));
        uint256 held = _heldUntil(terms, word.at());
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp > held, TooEarly(c.id, c.first, uint40(held + 1))); // a time
        c.shown |= 1 << i;
        c.taken[i] = _closeTab(key, word);
        return true;
    }

    /// @dev Whether a seat that has shown nothing before shows its result in this call; reverts while a silent one still may, and where showing
    /// begins a challenge window.
    function _hearNow(Count memory c, Terms calldata terms, bool silent) private view returns (bool) {
        // forge-lint: disable-start(unsafe-typecast)
        if (silent) {
            require(block.timestamp > c.closes, TooEarly(c.id, c.first, uint40(c.closes + 1))); // a time
            return false;
        }
        require(block.timestamp <= c.closes, DeadlinePassed(c.id, c.first, uint40(c.closes))); // a time
        uint32 window = terms.window();
        require(window == 0, TooEarly(c.id, c.first, uint40(block.timestamp) + window + 1));
        // forge-lint: disable-end(unsafe-typecast)
        return true;
    }

    /// @dev Finds the result that most have shown, and whether those are a quorum. In an audit, a seat that says nothing leaves the other one alone,
    /// and alone it stands. Where results may differ, the first stands, for all who have shown one. At most five seats.
    function _tally(Count memory c, Panel memory p) private pure {
        uint256 most;
        uint256 heard;
        uint256 spent;
        bytes32[] memory tags = c.tags;
        for (uint256 i; i < tags.length; ++i) {
            spent += c.spent[i];
            if (!_has(c.shown, i)) continue;
            ++heard;
            uint256 same;
            for (uint256 k = i; k < tags.length; ++k) {
                if (tags[k] == tags[i] && _has(c.shown, k)) ++same;
            }
            if (same > most) (c.winner, most) = (i, same);
        }
        uint256 counting = p.asked == PanelLib.AUDIT ? heard : p.asked - p.convicted;
        if (heard != 0 && most > counting / 2) c.outcome = Outcome.Agreed;
        // A range of which part is paid cannot be free again: its whole price would be.
        else c.outcome = heard == 0 && spent == 0 ? Outcome.Silent : Outcome.Unresolved;
    }

    /// @dev Equal for results that say the same. Where results may differ, that a job cannot be done is still another answer than any of them.
    function _tag(Terms calldata terms, Result calldata result) private pure returns (bytes32) {
        if (terms.tolerant() && result.root != LeaseLib.SPEC_FAULT) return bytes32(uint256(1));
        return keccak256(abi.encode(result.root, result.units));
    }

    function _has(uint256 bits, uint256 i) private pure returns (bool) {
        return (bits >> i) & 1 != 0;
    }

    /// @dev Pays, slashes, and gives the range back to its job.
    function _conclude(Count memory c, Terms calldata terms, Panel memory p, Said[] calldata said) private {
        bool fault = c.outcome == Outcome.Agreed && said[c.winner].result.root == LeaseLib.SPEC_FAULT;
        (uint256[] memory parts, uint256 gross, uint208 receipt) = _parts(c, terms, p, said, fault);
        uint64 bonus = _takeBonus(c.range, p);
        if (c.outcome != Outcome.Silent) {
            bool done = c.outcome == Outcome.Agreed && !fault;
            _endRange(c.id, terms, c.range, p.count, gross, done, done ? receipt : 0);
            emit PanelEnded(c.id, c.first, c.outcome, said[c.winner].result);
        }
        for (uint256 i; i < said.length; ++i) {
            if (_has(c.judged, i)) {
                bonus += said[i].claimed.bonus(); // a jury has dealt with its bond, not with what others left to it
                continue;
            }
            if (_has(c.now_, i)) _announce(c, said[i], said[c.winner].result);
            bonus += _dismiss(c, terms, p, said[i], i, parts[i]);
        }
        if (c.outcome == Outcome.Silent) {
            _reopen(c.id, terms, c.range, c.first, p.count, 0, bonus);
            emit PanelEnded(c.id, c.first, c.outcome, Result(0, 0, 0));
        } else if (bonus != 0) {
            _credit(TOKEN, _treasury, uint256(bonus) * 1 gwei); // no retry is left to fund
        }
    }

    /// @dev What each seat is paid, what of it the job pays, and the receipt of those who agree.
    function _parts(Count memory c, Terms calldata terms, Panel memory p, Said[] calldata said, bool fault)
        private
        returns (uint256[] memory parts, uint256 gross, uint208 receipt)
    {
        parts = new uint256[](said.length);
        bytes memory bodies;
        for (uint256 i; i < said.length; ++i) {
            LeaseWord claimed = said[i].claimed;
            uint256 price = uint256(claimed.price()) * p.count;
            parts[i] = c.spent[i];
            if (_has(c.shown, i)) {
                if (c.outcome == Outcome.Unresolved) {
                    parts[i] = _isFree(c, terms, p, said) ? 0 : price / 2;
                } else if (c.tags[i] == c.tags[c.winner]) {
                    parts[i] = fault ? _killFee(terms, price) : price;
                    uint208 body = _receiptOf(terms, claimed, said[i].result);
                    if (body != 0) bodies = abi.encodePacked(bodies, body);
                }
            }
            if (p.has(PanelLib.POOL) && claimed.flags() & LeaseWordLib.SEAT != 0) {
                _credit(terms.currency(), _treasury, price - parts[i]); // set aside when the audit began
            } else {
                gross += parts[i];
            }
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        if (bodies.length != 0) receipt = uint208(uint256(keccak256(bodies))); // a hash
    }

    /// @dev Whether one side of an audit found a fault that nobody may challenge. Had it not been drawn, the finding would have cost its holder
    /// nothing; so it and what is said against it earn nothing, or a holder could roll until its own auditor is paid by the protocol.
    function _isFree(Count memory c, Terms calldata terms, Panel memory p, Said[] calldata said)
        private
        pure
        returns (bool)
    {
        if (p.asked != PanelLib.AUDIT || terms.window() != 0) return false;
        for (uint256 i; i < said.length; ++i) {
            if (_has(c.shown, i) && said[i].result.root == LeaseLib.SPEC_FAULT) return true;
        }
        return false;
    }

    /// @dev A result that is shown in this call is told only where it is not what `PanelEnded` says (1,900 gas a seat).
    function _announce(Count memory c, Said calldata seat, Result calldata stands) private {
        Result calldata own = seat.result;
        if (own.root == stands.root && own.units == stands.units && own.manifest == stands.manifest) return;
        emit LeaseRevealed(c.id, seat.claimed.node(), c.first, own);
    }

    /// @dev Pays or slashes one seat; returns what it leaves for a retry, in gwei.
    function _dismiss(Count memory c, Terms calldata terms, Panel memory p, Said calldata seat, uint256 i, uint256 part)
        private
        returns (uint64 bonus)
    {
        uint32 nodeId = seat.claimed.node();
        uint256 bond = terms.bond() * p.count - c.taken[i];
        bonus = seat.claimed.bonus();
        bool withheld = !_has(c.shown, i);
        if (withheld || (c.outcome == Outcome.Agreed && c.tags[i] != c.tags[c.winner])) {
            return bonus + _fault(c, terms, nodeId, bond, withheld);
        }
        if (c.outcome == Outcome.Unresolved) {
            _payHalf(c, terms, nodeId, bond, part);
            return bonus;
        }
        _payOut(c.id, terms, c.first, nodeId, bond, part, uint256(bonus) * 1 gwei, false, seat.result);
        return 0;
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
