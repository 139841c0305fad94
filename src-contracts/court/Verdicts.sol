// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {CourtCore} from "src-contracts/court/CourtCore.sol";
import {IJuries} from "src-contracts/interfaces/ICourt.sol";
import {DisputeLib, DisputeState, Tab, Verdict, VerdictLib} from "src-contracts/types/Dispute.sol";
import {Lease, LeaseLib, LeaseWord, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {PanelWord} from "src-contracts/types/Panel.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @notice How a verdict is carried out. See the table in `docs/court.md`.
/// @dev SUM: what a party pledged is spent on jurors, given back, or forfeited, and nothing else; what is taken of the lease's bond repays those who were
/// right what juries cost them, and is then burnt, rewarded and the treasury's by the shares of any slash. A dispute takes at most one shard's bond
/// while others run, so their sum never passes the bond.
abstract contract Verdicts is CourtCore, IJuries {
    /// @dev The lease that a verdict is about.
    struct Target {
        bytes32 range;
        /// Where its word is: the range's slot, or a seat's.
        bytes32 key;
        LeaseWord word;
        LeaseWord claimed;
        /// Body of its word once it stands revealed again.
        uint208 revealed;
        /// Other disputes about it.
        uint16 others;
        /// What is left of its bond.
        uint256 left;
        Tab tab;
    }

    /// @dev What `DisputeEnded` says.
    struct Flow {
        uint256 returned;
        uint256 forfeited;
        uint256 rewarded;
        uint256 repaid;
    }

    /// @inheritdoc IJuries
    function enforce(Terms calldata terms, Lease calldata lease_, Result calldata result, uint32 index)
        external
        nonReentrant
    {
        Case memory c = _case(terms, lease_, index, DisputeState.Judged);
        uint256 until = _appealUntil(terms, c.d);
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp > until, TooEarly(c.id, c.first, uint40(until + 1))); // a time
        Target memory t = _target(c, terms, lease_, result);
        _requireFinal(c, terms, t);

        Flow memory flow = _settleParties(c, terms, t);
        emit DisputeEnded(
            c.key,
            c.d.verdict,
            flow.returned,
            flow.forfeited,
            flow.rewarded,
            flow.repaid,
            _nodes[t.claimed.node()].record
        );

        if (t.others == 0) _conclude(c, terms, t);
        else _wait(t);
    }

    /* INTERNAL: the lease */

    function _target(Case memory c, Terms calldata terms, Lease calldata lease_, Result calldata result)
        private
        view
        returns (Target memory t)
    {
        t.range = _rangeOf(c.id, lease_);
        (t.key, t.word) = _findAudited(c.id, lease_);
        t.claimed = lease_.claimed;
        t.revealed = LeaseLib.revealedBody(t.claimed, result);
        _requirePhase(c.id, c.first, t.word, Phase.Disputed);
        require(t.word.stands(t.revealed), LeaseMismatch(c.id, c.first));
        t.others = t.word.open() - 1;
        t.tab = _loadTab(t.key, t.word);
        t.left = terms.bond() * t.claimed.count() - t.tab.taken;
    }

    /// @dev Checks that a verdict which ends the lease with part of its price waits until nobody can challenge any more: else who has a wrong shard would
    /// have another one judged to get away.
    function _requireFinal(Case memory c, Terms calldata terms, Target memory t) private view {
        Verdict worst = VerdictLib.graver(t.tab.worst, c.d.verdict);
        if (t.others != 0 || (worst != Verdict.Undecided && worst != Verdict.SpecFault)) return;
        uint256 held = _heldUntil(terms, t.word.at());
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp > held, TooEarly(c.id, c.first, uint40(held + 1))); // a time
    }

    /// @dev Writes that one dispute fewer is open.
    function _wait(Target memory t) private {
        uint8 flags = t.word.flags();
        if (t.tab.worst > Verdict.Valid) {
            flags |= LeaseWordLib.TRIMMED;
            _setTab(t.key, t.tab);
        }
        _setLease(t.key, LeaseWordLib.disputed(flags, t.word.at(), t.revealed, t.others));
    }

    /* INTERNAL: the parties */

    /// @dev Closes the dispute: gives back or takes what the parties pledged, and takes of the lease's bond what this verdict costs.
    function _settleParties(Case memory c, Terms calldata terms, Target memory t) private returns (Flow memory flow) {
        Party memory challenger = _challenger(c.d);
        Party memory second;
        uint256 owed; // to the appellant, if it was right
        if (c.d.round == 2) {
            second = _appellant(c.key);
            _words[_appellantKey(c.key)] = 0;
            _words[_benchKey(_juryKey(c.key, 2))] = 0;
            if (c.d.has(DisputeLib.OVERTURNED)) owed = c.d.paidAgain * c.fee;
            _release(second, (SECOND_SEATS - c.d.paidAgain) * c.fee);
        }
        _words[_benchKey(_juryKey(c.key, 1))] = 0;
        c.d.state = DisputeState.Ended;
        _setDispute(c);

        uint256 unspent = (CHALLENGE_FEES - c.d.paid) * c.fee;
        Verdict verdict = c.d.verdict;
        address payee = _ownerOf(challenger);
        if (verdict == Verdict.Valid) {
            flow.repaid = _forfeit(challenger, t.claimed.node(), unspent, owed);
            flow.forfeited = unspent;
        } else {
            flow.returned = unspent;
            _release(challenger, unspent);
            if (verdict == Verdict.Withheld) (flow.rewarded, flow.repaid) = _charge(c, terms, t, payee, owed);
            if (verdict == Verdict.Invalid) (flow.rewarded, flow.repaid) = _convict(c, terms, t, payee, owed);
        }
        _note(t, verdict, payee);
        if (flow.repaid != 0) _credit(TOKEN, _ownerOf(second), flow.repaid);
    }

    /// @dev What juries did not use of the bond of a challenger that was wrong: first it repays an appellant that was right; half of the rest is the
    /// holder's, half is burnt.
    function _forfeit(Party memory challenger, uint32 nodeId, uint256 unspent, uint256 owed)
        private
        returns (uint256 repaid)
    {
        repaid = owed < unspent ? owed : unspent;
        uint256 half = (unspent - repaid) / 2;
        _credit(TOKEN, _nodes[nodeId].owner, half);
        _spend(challenger, unspent, unspent - repaid - half);
    }

    /// @dev Who was right but out of reach pays what juries cost, up to a shard's bond; its record is halved.
    function _charge(Case memory c, Terms calldata terms, Target memory t, address payee, uint256 owed)
        private
        returns (uint256 rewarded, uint256 repaid)
    {
        rewarded = c.d.paid * c.fee; // at most 5 of 8 parts of a shard's bond
        repaid = terms.bond() - rewarded < owed ? terms.bond() - rewarded : owed;
        _halveRecord(t);
        _credit(TOKEN, payee, rewarded);
        _take(t, rewarded + repaid, 0, 0);
    }

    /// @dev Takes a shard's bond from who was wrong; all that is left of the lease's where this is the only dispute about it. What others are found in
    /// the meantime to have caught first is `_finish`ed with the last.
    function _convict(Case memory c, Terms calldata terms, Target memory t, address payee, uint256 owed)
        private
        returns (uint256 rewarded, uint256 repaid)
    {
        bool alone = t.others == 0 && t.tab.worst != Verdict.Invalid;
        uint256 part = alone ? t.left : terms.bond();
        uint256 costs = c.d.paid * c.fee;
        repaid = part - costs < owed ? part - costs : owed;
        _halveRecord(t);
        rewarded = costs + _share(terms, t, payee, part, part - costs - repaid);
        _credit(TOKEN, payee, costs);
    }

    /// @dev Takes `part` of the bond, and splits `spoils` of it like any slash: burnt, reward of `payee`, treasury.
    function _share(Terms calldata terms, Target memory t, address payee, uint256 part, uint256 spoils)
        private
        returns (uint256 reward)
    {
        Params storage p = _params[terms.rules.version()];
        uint256 burnt = spoils * p.burnBps / Parameters.BPS;
        reward = spoils * p.retryBps / Parameters.BPS;
        _credit(TOKEN, payee, reward);
        _take(t, part, burnt, spoils - burnt - reward);
    }

    function _take(Target memory t, uint256 amount, uint256 burnt, uint256 treasuryPart) private {
        t.left -= amount;
        t.tab.taken += amount;
        _seize(t.claimed.node(), amount, amount, burnt, treasuryPart);
    }

    function _halveRecord(Target memory t) private {
        Node storage n = _nodes[t.claimed.node()];
        n.record -= n.record / 2;
    }

    /// @dev Remembers the gravest verdict, and who was first with it.
    function _note(Target memory t, Verdict verdict, address payee) private pure {
        Verdict worst = VerdictLib.graver(t.tab.worst, verdict);
        if (worst != t.tab.worst) (t.tab.worst, t.tab.payee) = (worst, payee);
    }

    /* INTERNAL: the end */

    /// @dev The last dispute about the lease is over: it stands again, or it ends.
    function _conclude(Case memory c, Terms calldata terms, Target memory t) private {
        Verdict worst = t.tab.worst;
        if (worst == Verdict.Invalid) {
            _closeTab(t.key, t.word);
            if (t.left != 0) _share(terms, t, t.tab.payee, t.left, t.left);
            _lose(c, terms, t);
            emit LeaseJudged(c.id, t.claimed.node(), c.first, worst, 0, 0, 0);
        } else if (worst == Verdict.SpecFault || worst == Verdict.Undecided) {
            _closeTab(t.key, t.word);
            _endUndone(c, terms, t, worst);
        } else {
            uint8 flags = t.word.flags();
            if (t.tab.taken != 0) {
                flags |= LeaseWordLib.TRIMMED;
                _setTab(t.key, t.tab);
            }
            _setLease(t.key, LeaseWordLib.make(flags, Phase.Revealed, t.word.at(), t.revealed));
            emit LeaseJudged(c.id, t.claimed.node(), c.first, worst, 0, 0, 0);
        }
    }

    /// @dev A lease that was wrong is free to be taken over, with the bonus that it had; a seat leaves its panel to the others.
    function _lose(Case memory c, Terms calldata terms, Target memory t) private {
        if (t.key == t.range) {
            _reopen(c.id, terms, t.range, c.first, t.claimed.count(), t.claimed.node(), t.claimed.bonus());
        } else {
            _leavePanel(c, t, Phase.Convicted, 0);
        }
    }

    /// @dev A lease of which nobody can say whether it is right ends undone. Undecided: half its price is paid. Impossible: the holder gets the kill fee, and
    /// who found it the rest, for the jury that it paid.
    function _endUndone(Case memory c, Terms calldata terms, Target memory t, Verdict worst) private {
        uint256 price = uint256(t.claimed.price()) * t.claimed.count();
        uint256 part = worst == Verdict.Undecided ? price / 2 : _killFee(terms, price);
        uint256 compensation = worst == Verdict.Undecided ? 0 : price - part;
        Node storage n = _nodes[t.claimed.node()];
        // forge-lint: disable-next-line(unsafe-typecast)
        n.locked -= uint96(t.left); // what `_lock` added, less what was taken

        if (t.key == t.range) {
            _endRange(c.id, terms, t.range, t.claimed.count(), part + compensation, false, 0);
            _credit(TOKEN, _treasury, uint256(t.claimed.bonus()) * 1 gwei); // no retry is left to fund
        } else {
            // forge-lint: disable-next-line(unsafe-typecast)
            _leavePanel(c, t, Phase.Excused, uint208(part + compensation)); // at most a price
        }
        uint256 fee = _payFrom(terms, n.owner, part);
        if (compensation != 0) _payFrom(terms, t.tab.payee, compensation);

        emit LeaseJudged(c.id, t.claimed.node(), c.first, worst, part - fee, fee, compensation);
    }

    function _payFrom(Terms calldata terms, address account, uint256 gross) private returns (uint256 fee) {
        fee = gross * terms.rules.feeBps() / Parameters.BPS;
        _creditPaid(terms.currency(), account, gross - fee, fee);
    }

    /// @dev Takes a seat out of the vote of its panel, which has paid `gross` for it; the panel's end deals with its bonus.
    function _leavePanel(Case memory c, Target memory t, Phase phase, uint208 gross) private {
        (, PanelWord p) = _requirePanel(c.id, c.first);
        _setPanel(t.range, p.convict());
        _setLease(t.key, LeaseWordLib.make(0, phase, block.timestamp, gross));
    }
}
