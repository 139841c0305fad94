// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {Slashing} from "src-contracts/court/Slashing.sol";
import {IPanels, Said} from "src-contracts/interfaces/IPanels.sol";
import {Bench, BenchLib} from "src-contracts/types/Bench.sol";
import {LeaseLib, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Outcome, PanelLib, PanelWord} from "src-contracts/types/Panel.sol";
import {Params} from "src-contracts/types/Params.sol";
import {ReceiptLib} from "src-contracts/types/Receipt.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice How a panel ends. See the table of outcomes in `docs/assurance.md`.
/// @dev SUM: every winner is paid its own price, which is at most `maxPrice`, of what the job has in escrow for each seat; the rest goes back.
/// SETS: a set of seats is a word, seat i its bit i; there are at most five.
abstract contract Agreement is Slashing, IPanels {
    /// @dev A panel that is being ended.
    struct Count {
        bytes32 id;
        bytes32 range;
        uint32 first;
        PanelWord p;
        /// Seats that have shown their result; that have done so in this call; that a jury has dealt with, so that they are in no vote.
        uint256 shown;
        uint256 now_;
        uint256 judged;
        /// What the job has paid for a seat that a jury dealt with; of another that was shown before, what juries have taken of its bond. Empty
        /// where no seat was shown before.
        uint256[] tab;
        Outcome outcome;
        /// The seat whose result stands, and all that agree on it; none where that is no quorum.
        uint256 winner;
        uint256 agreed;
        /// Those who agree found that the job cannot be done.
        bool fault;
    }

    /// @inheritdoc IPanels
    function agree(Terms calldata terms, uint32 first, Said[] calldata said) external nonReentrant {
        Count memory c;
        (c.id, c.first) = (_jobId(terms), first);
        (c.range, c.p) = _requirePanel(c.id, first);
        if (said.length != c.p.committed()) revert SeatsMissing(c.id, first, said.length, c.p.committed());
        _hear(c, terms, said);
        _tally(c, terms, said);
        _conclude(c, terms, said);
    }

    /* INTERNAL: hearing */

    /// @dev Checks every seat against the bench, in the order of the commitments, and hears what it has to say.
    function _hear(Count memory c, Terms calldata terms, Said[] calldata said) private {
        (bytes32 id, uint32 first) = (c.id, c.first);
        (bool ready, uint256 opens) = _panelOpens(terms, c.p);
        // forge-lint: disable-next-line(unsafe-typecast)
        if (!ready || block.timestamp < opens) revert TooEarly(id, first, uint40(opens)); // a time
        uint256 closes = _revealCloses(terms, opens);
        bool spoken = c.p.has(PanelLib.SPOKEN);
        if (spoken) c.tab = new uint256[](said.length);
        uint256 chain;
        uint256 now_;
        for (uint256 i; i < said.length; ++i) {
            Said calldata seat = said[i];
            bytes32 commitment = seat.salt;
            if (!(spoken && _hearBefore(c, terms, seat, i)) && _hearNow(c, terms, closes, seat.result.root == 0)) {
                now_ |= 1 << i;
                commitment = _commitment(id, first, 0, seat.claimed.node(), seat.result, commitment);
            }
            chain = BenchLib.next(chain, seat.claimed, commitment);
        }
        (c.shown, c.now_) = (c.shown | now_, now_);
        bytes32 key = _benchKey(c.range);
        if (chain != Bench.wrap(_words[key]).chain()) revert LeaseMismatch(id, first);
        _words[key] = 0;
    }

    /// @dev What the seat has shown by itself. False when it has shown nothing yet.
    function _hearBefore(Count memory c, Terms calldata terms, Said calldata seat, uint256 i) private returns (bool) {
        bytes32 key = _seatKey(c.range, seat.claimed.node());
        LeaseWord word = _loadLease(key);
        if (word.phase() == Phase.None) return false;
        _setLease(key, LeaseWord.wrap(0));
        if (word.phase() == Phase.Convicted || word.phase() == Phase.Excused) {
            c.judged |= 1 << i;
            c.tab[i] = word.body();
            return true;
        }
        _requirePhase(c.id, c.first, word, Phase.Revealed);
        if (word.body() != LeaseLib.revealedBody(seat.claimed, seat.result)) revert LeaseMismatch(c.id, c.first);
        uint256 held = _heldUntil(terms, word.at());
        // forge-lint: disable-next-line(unsafe-typecast)
        if (block.timestamp <= held) revert TooEarly(c.id, c.first, uint40(held + 1)); // a time
        c.shown |= 1 << i;
        c.tab[i] = _closeTab(key, word);
        return true;
    }

    /// @dev Whether a seat that has shown nothing before shows its result in this call; reverts while a silent one still may, and where showing
    /// begins a challenge window.
    function _hearNow(Count memory c, Terms calldata terms, uint256 closes, bool silent) private view returns (bool) {
        // forge-lint: disable-start(unsafe-typecast)
        if (silent) {
            if (block.timestamp <= closes) revert TooEarly(c.id, c.first, uint40(closes + 1)); // a time
            return false;
        }
        if (block.timestamp > closes) revert DeadlinePassed(c.id, c.first, uint40(closes)); // a time
        uint256 window = terms.window();
        if (window != 0) revert TooEarly(c.id, c.first, uint40(block.timestamp + window + 1));
        // forge-lint: disable-end(unsafe-typecast)
        return true;
    }

    /* INTERNAL: counting */

    /// @dev Finds the result that most have shown, and whether those are a quorum. In an audit, a seat that says nothing leaves the other one alone,
    /// and alone it stands. Where results may differ, the first stands, for all who have shown one.
    function _tally(Count memory c, Terms calldata terms, Said[] calldata said) private pure {
        uint256 heard;
        uint256 most;
        uint256 rest = c.shown;
        bool tolerant = terms.tolerant();
        // Five seats at most.
        unchecked {
            for (uint256 i; rest >> i != 0; ++i) {
                if (!_has(rest, i)) continue;
                Result calldata own = said[i].result;
                (uint256 group, uint256 same) = (1 << i, 1);
                for (uint256 k = i + 1; rest >> k != 0; ++k) {
                    if (!_has(rest, k) || !_isSame(tolerant, own, said[k].result)) continue;
                    group |= 1 << k;
                    ++same;
                }
                rest ^= group;
                heard += same;
                if (same > most) (c.winner, c.agreed, most) = (i, group, same);
            }
        }
        uint256 counting = c.p.asked() == PanelLib.AUDIT ? heard : c.p.asked() - c.p.convicted();
        if (heard != 0 && most > counting / 2) {
            c.fault = said[c.winner].result.root == LeaseLib.SPEC_FAULT;
            return;
        }
        c.agreed = 0;
        // A range of which part is paid cannot be free again: its whole price would be.
        c.outcome = heard == 0 && _spent(c) == 0 ? Outcome.Silent : Outcome.Unresolved;
    }

    /// @dev What the job has paid for seats that juries dealt with.
    function _spent(Count memory c) private pure returns (uint256 spent) {
        for (uint256 i; c.judged >> i != 0; ++i) {
            if (_has(c.judged, i)) spent += c.tab[i];
        }
    }

    /// @dev Whether two results say the same. Where results may differ, that a job cannot be done is still another answer than any of them.
    function _isSame(bool tolerant, Result calldata one, Result calldata other) private pure returns (bool) {
        if (tolerant && one.root != LeaseLib.SPEC_FAULT && other.root != LeaseLib.SPEC_FAULT) return true;
        return one.root == other.root && one.units == other.units;
    }

    function _has(uint256 seats, uint256 i) private pure returns (bool) {
        return (seats >> i) & 1 != 0;
    }

    /* INTERNAL: paying */

    /// @dev Pays, slashes, and gives the range back to its job.
    function _conclude(Count memory c, Terms calldata terms, Said[] calldata said) private {
        Result calldata stands = said[c.winner].result;
        uint16 count = c.p.count();
        uint256 half = c.outcome == Outcome.Unresolved && !_isFree(c, terms, said) ? c.shown : 0;
        uint256[] memory parts = new uint256[](said.length);
        (uint256 gross, uint208 receipt) = _sum(c, terms, said, half, parts);
        (uint64 bonus,) = _takeBonus(c.range, c.p);
        if (c.outcome != Outcome.Silent) {
            _endRange(c.id, terms, c.range, count, gross, c.agreed != 0 && !c.fault, receipt);
            emit PanelEnded(c.id, c.first, c.outcome, stands);
        }
        for (uint256 i; i < said.length; ++i) {
            Said calldata seat = said[i];
            if (_has(c.judged, i)) {
                bonus += seat.claimed.bonus(); // a jury has dealt with its bond, not with what others left to it
                continue;
            }
            if (_has(c.now_, i) && i != c.winner) _announce(c, seat, stands);
            bonus += _dismiss(c, terms, seat, i, parts[i]);
        }
        if (c.outcome == Outcome.Silent) {
            _reopen(c.id, terms, c.range, c.first, count, 0, bonus);
            emit PanelEnded(c.id, c.first, c.outcome, Result(0, 0, 0));
        } else if (bonus != 0) {
            _credit(TOKEN, _treasury, uint256(bonus) * 1 gwei); // no retry is left to fund
        }
    }

    /// @dev What seat `i` is paid, of `price`; `half` are the seats that are paid for what nobody agreed on.
    function _part(Count memory c, Terms calldata terms, uint256 price, uint256 i, uint256 half)
        private
        pure
        returns (uint256)
    {
        if (_has(c.agreed, i)) return c.fault ? _killFee(terms, price) : price;
        if (_has(half, i)) return price / 2;
        return _has(c.judged, i) ? c.tab[i] : 0;
    }

    /// @dev What the job pays for all seats, what each of them is paid (`parts`), and the receipt of those who agree. What was set aside for an auditor
    /// and is not paid goes back.
    function _sum(Count memory c, Terms calldata terms, Said[] calldata said, uint256 half, uint256[] memory parts)
        private
        returns (uint256 gross, uint208 receipt)
    {
        // Nobody's choice, and done: credits are minted against it.
        bool leaves = c.agreed != 0 && !c.fault && terms.node() == 0;
        bytes memory bodies = leaves ? ReceiptLib.room(said.length) : new bytes(0);
        uint256 receipts;
        for (uint256 i; i < said.length; ++i) {
            Said calldata seat = said[i];
            LeaseWord claimed = seat.claimed;
            uint256 price = _price(c, claimed);
            uint256 part = _part(c, terms, price, i, half);
            parts[i] = part;
            if (leaves && _has(c.agreed, i)) {
                ReceiptLib.put(bodies, receipts, LeaseLib.revealedBody(claimed, seat.result));
                unchecked {
                    ++receipts; // a seat each
                }
            }
            if (c.p.has(PanelLib.POOL) && claimed.flags() & LeaseWordLib.SEAT != 0) {
                _credit(terms.currency(), _treasury, price - part);
            } else {
                gross += part;
            }
        }
        if (leaves) receipt = ReceiptLib.hash(bodies, receipts);
    }

    function _price(Count memory c, LeaseWord claimed) private pure returns (uint256) {
        unchecked {
            return uint256(claimed.price()) * c.p.count(); // 96 + 16 bits
        }
    }

    /// @dev Whether one side of an audit found a fault that nobody may challenge. Had it not been drawn, the finding would have cost its holder
    /// nothing; so it and what is said against it earn nothing, or a holder could roll until its own auditor is paid by the protocol.
    function _isFree(Count memory c, Terms calldata terms, Said[] calldata said) private pure returns (bool) {
        if (c.p.asked() != PanelLib.AUDIT || terms.window() != 0) return false;
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

    /// @dev Pays one seat its part, or slashes it; returns what it leaves for a retry, in gwei.
    function _dismiss(Count memory c, Terms calldata terms, Said calldata seat, uint256 i, uint256 part)
        private
        returns (uint64 bonus)
    {
        LeaseWord claimed = seat.claimed;
        uint32 nodeId = claimed.node();
        uint256 bond;
        unchecked {
            bond = terms.bond() * c.p.count(); // 96 + 16 bits
        }
        if (c.tab.length != 0) bond -= c.tab[i];
        bonus = claimed.bonus();
        if (_has(c.agreed, i)) {
            _payOut(c.id, terms, c.first, nodeId, bond, part, uint256(bonus) * 1 gwei, false, seat.result);
            return 0;
        }
        bool shown = _has(c.shown, i);
        if (shown && c.agreed == 0) _payHalf(c, terms, nodeId, bond, part);
        else bonus += _fault(c, terms, nodeId, bond, !shown);
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
