// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DisputeState, Testimony, Verdict} from "src-contracts/types/Dispute.sol";
import {LeaseLib, LeaseWordLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Lease, Terms} from "test/contracts/lib/Readable.sol";

/// @dev The tables of `docs/court.md` a second time, in the plainest words: who owns what after each verdict. Slashes are shared 5 : 4 : 1 (burnt,
/// reward or retry, treasury), the fee is 3 %.
abstract contract CourtBooks is CourtTest {
    struct BookedJob {
        Terms t;
        bytes32 id;
        /// What is still to be paid out.
        uint256 left;
        /// When it may be cancelled from.
        uint256 openAt;
        uint256 cursor;
        uint256 busy;
        uint256 done;
        bool cancelled;
        bool over;
    }

    struct Range {
        uint256 job;
        uint32 first;
        bool living;
        /// Nobody holds it; `bonus` gwei wait for who does.
        bool waiting;
        uint256 bonus;
        uint256[] claims;
    }

    /// @dev A lease, or a seat of three. `phase` is None once it was paid or lost.
    struct Claim {
        uint256 range;
        Phase phase;
        uint256 at;
        Actor n;
        Lease l;
        Result r;
        bytes32 salt;
        /// Disputes that run.
        uint256 open;
        /// Of its bond.
        uint256 taken;
        Verdict worst;
        address payee;
        /// What the job has paid for an excused seat.
        uint256 paid;
    }

    struct Trial {
        uint256 claim;
        uint32 index;
        bytes32 key;
        DisputeState state;
        uint8 round;
        uint256 at;
        Verdict verdict;
        address by;
        uint32 byNode;
        address appellant;
        uint32 appellantNode;
        uint256 paid;
        uint256 paidAgain;
        bool overturned;
        /// The round's jurors: what each is bound to, whether it will ever say so, whether it has.
        Testimony[] said;
        bool[] mute;
        bool[] spoken;
    }

    BookedJob[] internal jobs;
    Range[] internal ranges;
    Claim[] internal claims;
    Trial[] internal trials;
    Actor[] internal nodes;
    mapping(address account => uint256) internal balances;
    mapping(uint32 node => uint256) internal stakes;
    mapping(uint32 node => uint256) internal locked;
    uint256 internal fees;
    uint256 internal burnt;
    mapping(bytes32 action => uint256) internal tried;
    mapping(bytes32 action => uint256) internal done;
    bytes32[] internal actions;

    /* LOOKING UP */

    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    /// @dev Of one shard.
    function _bondOf(Claim storage c) internal view returns (uint256) {
        return jobs[ranges[c.range].job].t.bond;
    }

    function _isSeat(Claim storage c) internal view returns (bool) {
        return c.l.flags & LeaseWordLib.SEAT != 0;
    }

    function _isFault(Claim storage c) internal view returns (bool) {
        return c.r.root == LeaseLib.SPEC_FAULT;
    }

    function _ownerOf(uint32 node) internal view returns (address) {
        return nodes[node - 1].owner;
    }

    function _jurorFee(Trial storage d) internal view returns (uint256) {
        return _bondOf(claims[d.claim]) / 8;
    }

    function _seatsOf(Trial storage d) internal view returns (uint256) {
        return d.round == 1 ? 5 : 11;
    }

    /* MOVING */

    function _loses(uint32 node, uint256 amount) internal {
        stakes[node] -= amount;
        locked[node] -= amount;
    }

    /// @dev Sets a party's `amount` aside; a node's by its stake.
    function _bookPledge(address by, uint32 node, uint256 amount) internal {
        if (node == 0) balances[by] -= amount;
        else locked[node] += amount;
    }

    function _bookBack(address by, uint32 node, uint256 amount) private {
        if (node == 0) balances[by] += amount;
        else locked[node] -= amount;
    }

    function _bookPay(address to, uint256 gross) internal {
        fees += gross * 3 / 100;
        balances[to] += gross - gross * 3 / 100;
    }

    /// @dev Shares what was taken: half burnt, 40 % to `payee`, the rest to the treasury.
    function _bookSpoils(address payee, uint256 amount) private {
        burnt += amount / 2;
        balances[payee] += amount * 4 / 10;
        balances[treasury] += amount - amount / 2 - amount * 4 / 10;
    }

    /* JUDGING */

    /// @dev What a vote says of what was shown: 0 nothing, 1 right, 2 wrong, 3 that it cannot be judged.
    function _side(bool fault, Verdict vote) private pure returns (uint256) {
        if (vote == Verdict.None) return 0;
        if (fault) return vote == Verdict.SpecFault ? 1 : 2;
        if (vote == Verdict.Invalid) return 2;
        return vote == Verdict.SpecFault ? 3 : 1;
    }

    function _bookJudgement(Trial storage d, Verdict[] memory votes) internal {
        bool fault = _isFault(claims[d.claim]);
        uint256[4] memory sides;
        uint256 withheld;
        for (uint256 i; i < votes.length; ++i) {
            ++sides[_side(fault, votes[i])];
            if (!fault && votes[i] == Verdict.Withheld) ++withheld;
        }
        uint256 quorum = d.round == 1 ? 4 : 8;
        uint256 winner;
        Verdict found = votes.length < quorum ? Verdict.None : Verdict.Undecided;
        if (sides[1] >= quorum) (winner, found) = (1, 2 * withheld > sides[1] ? Verdict.Withheld : Verdict.Valid);
        if (sides[2] >= quorum) (winner, found) = (2, Verdict.Invalid);
        if (sides[3] >= quorum) (winner, found) = (3, Verdict.SpecFault);

        uint256 paid;
        for (uint256 i; i < votes.length; ++i) {
            uint256 side = _side(fault, votes[i]);
            bool right = side != 0 && (winner == 0 || side == winner);
            if (right) ++paid;
            _bookJuror(d, d.said[i].node, right);
        }
        (bool first, uint32 payer) = (d.round == 1, d.round == 1 ? d.byNode : d.appellantNode);
        if (payer != 0) _loses(payer, paid * _jurorFee(d));
        if (first) {
            (d.paid, d.verdict) = (paid, found);
        } else {
            bool decided = found != Verdict.None && found != Verdict.Undecided;
            (d.paidAgain, d.overturned) = (paid, decided && found != d.verdict);
            if (decided || d.verdict == Verdict.None) d.verdict = found;
        }
        (d.state, d.at) = (DisputeState.Judged, _now());
        ++done[bytes32(abi.encodePacked("found", vm.toString(uint256(found))))];
    }

    function _bookJuror(Trial storage d, uint32 node, bool right) private {
        uint256 fee = _jurorFee(d);
        if (right) {
            locked[node] -= fee;
            balances[_ownerOf(node)] += fee;
        } else {
            _loses(node, fee);
            burnt += fee / 2;
            balances[treasury] += fee - fee / 2;
        }
    }

    /* ENFORCING */

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function _bookVerdict(Trial storage d) internal {
        Claim storage c = claims[d.claim];
        uint256 fee = _jurorFee(d);
        uint256 owed = d.overturned ? d.paidAgain * fee : 0;
        if (d.round == 2) _bookBack(d.appellant, d.appellantNode, (11 - d.paidAgain) * fee);
        address payee = d.byNode == 0 ? d.by : _ownerOf(d.byNode);
        --c.open;
        uint256 repaid = d.verdict == Verdict.Valid ? _bookWrongChallenge(d, c, owed) : 0;
        if (d.verdict != Verdict.Valid) _bookBack(d.by, d.byNode, (10 - d.paid) * fee);
        if (d.verdict == Verdict.Withheld || d.verdict == Verdict.Invalid) repaid = _bookHolder(d, c, payee, owed);
        if (repaid != 0) balances[d.appellantNode == 0 ? d.appellant : _ownerOf(d.appellantNode)] += repaid;
        if (_gravity(d.verdict) > _gravity(c.worst)) (c.worst, c.payee) = (d.verdict, payee);
        d.state = DisputeState.Ended;
        if (c.open == 0) _bookEndOfDisputes(c);
    }

    function _gravity(Verdict verdict) private pure returns (uint256) {
        if (verdict == Verdict.Invalid) return 5;
        if (verdict == Verdict.SpecFault) return 4;
        if (verdict == Verdict.Undecided) return 3;
        return verdict == Verdict.Withheld ? 2 : verdict == Verdict.Valid ? 1 : 0;
    }

    function _bookWrongChallenge(Trial storage d, Claim storage c, uint256 owed) private returns (uint256 repaid) {
        uint256 rest = (10 - d.paid) * _jurorFee(d);
        repaid = _least(owed, rest);
        uint256 half = (rest - repaid) / 2;
        balances[c.n.owner] += half;
        burnt += rest - repaid - half;
        if (d.byNode != 0) _loses(d.byNode, rest);
    }

    function _bookHolder(Trial storage d, Claim storage c, address payee, uint256 owed)
        private
        returns (uint256 repaid)
    {
        uint256 bond = _bondOf(c);
        uint256 costs = d.paid * _jurorFee(d);
        bool alone = c.open == 0 && c.worst != Verdict.Invalid;
        uint256 part = d.verdict == Verdict.Invalid && alone ? bond * c.l.count - c.taken : bond;
        repaid = _least(part - costs, owed);
        balances[payee] += costs;
        if (d.verdict == Verdict.Withheld) part = costs + repaid;
        else _bookSpoils(payee, part - costs - repaid);
        c.taken += part;
        _loses(c.n.id, part);
    }

    /// @dev The last dispute about a claim is over.
    function _bookEndOfDisputes(Claim storage c) private {
        Range storage r = ranges[c.range];
        uint256 left = _bondOf(c) * c.l.count - c.taken;
        if (c.worst == Verdict.Invalid) {
            _bookSpoils(c.payee, left);
            _loses(c.n.id, left);
            c.phase = _isSeat(c) ? Phase.Convicted : Phase.None;
            if (!_isSeat(c)) _bookReopened(r, c.l.bonus, c.l.count);
        } else if (c.worst == Verdict.SpecFault || c.worst == Verdict.Undecided) {
            uint256 price = uint256(c.l.price) * c.l.count;
            uint256 gross = c.worst == Verdict.SpecFault ? price : price / 2;
            _bookPay(c.n.owner, price / 2);
            if (c.worst == Verdict.SpecFault) _bookPay(c.payee, price - price / 2);
            locked[c.n.id] -= left;
            jobs[r.job].left -= gross;
            c.phase = _isSeat(c) ? Phase.Excused : Phase.None;
            if (_isSeat(c)) {
                c.paid = gross;
            } else {
                balances[treasury] += uint256(c.l.bonus) * 1e9;
                _bookRangeEnd(r, c.l.count, false);
            }
        } else {
            c.phase = Phase.Revealed;
        }
    }

    /* RANGES */

    function _bookReopened(Range storage r, uint256 bonus, uint256 count) internal {
        BookedJob storage j = jobs[r.job];
        (r.living, r.waiting, r.bonus) = (false, true, bonus);
        j.busy -= count;
        if (count == j.t.shards) j.openAt = _now();
        if (j.cancelled && j.busy == 0) _bookOver(j);
    }

    function _bookRangeEnd(Range storage r, uint256 count, bool computed) internal {
        BookedJob storage j = jobs[r.job];
        r.living = false;
        j.busy -= count;
        if (computed) j.done += count;
        bool ended = count == j.t.shards || j.done == j.t.shards;
        if (ended || (j.busy == 0 && (j.cancelled || _now() > j.t.expiry))) _bookOver(j);
    }

    function _bookOver(BookedJob storage j) internal {
        balances[requester] += j.left;
        (j.left, j.over) = (0, true);
    }

    /// @dev The end of a panel in which every seat has spoken or was dealt with by juries.
    function _bookPanel(Range storage r) internal {
        BookedJob storage j = jobs[r.job];
        uint256 spent;
        uint256 judged;
        uint256 bonus;
        for (uint256 i; i < 3; ++i) {
            Claim storage c = claims[r.claims[i]];
            if (c.phase == Phase.Revealed) continue;
            ++judged;
            (spent, bonus) = (spent + c.paid, bonus + c.l.bonus);
        }
        (bool agreed, Result memory best) = _bestOf(r, judged);
        for (uint256 i; i < 3; ++i) {
            Claim storage c = claims[r.claims[i]];
            if (c.phase == Phase.Revealed) bonus += _bookSeat(j, c, agreed, best);
            (c.phase, c.paid) = (Phase.None, 0);
        }
        if (judged == 3 && spent == 0) return _bookReopened(r, bonus, 1);
        balances[treasury] += bonus * 1e9;
        _bookRangeEnd(r, 1, agreed && best.root != LeaseLib.SPEC_FAULT);
    }

    /// @dev What most seats say, and whether they are more than half of those that juries left.
    function _bestOf(Range storage r, uint256 judged) private view returns (bool agreed, Result memory best) {
        uint256 most;
        for (uint256 i; i < 3; ++i) {
            Claim storage c = claims[r.claims[i]];
            if (c.phase != Phase.Revealed) continue;
            uint256 same;
            for (uint256 k; k < 3; ++k) {
                Claim storage other = claims[r.claims[k]];
                if (other.phase == Phase.Revealed && other.r.root == c.r.root) ++same;
            }
            if (same > most) (most, best) = (same, c.r);
        }
        agreed = 2 * most > 3 - judged;
    }

    /// @dev Pays or slashes one seat; returns what it leaves, in gwei.
    function _bookSeat(BookedJob storage j, Claim storage c, bool agreed, Result memory best)
        private
        returns (uint256 bonus)
    {
        uint256 bond = j.t.bond - c.taken;
        if (agreed && c.r.root != best.root) {
            uint256 retry = bond * 4 / 10 / 1e9;
            burnt += bond / 2;
            balances[treasury] += bond - bond / 2 - retry * 1e9;
            _loses(c.n.id, bond);
            return c.l.bonus + retry;
        }
        uint256 gross = c.l.price;
        if (!agreed || _isFault(c)) gross /= 2;
        j.left -= gross;
        _bookPay(c.n.owner, gross);
        locked[c.n.id] -= bond;
        if (!agreed) return c.l.bonus;
        balances[c.n.owner] += uint256(c.l.bonus) * 1e9;
    }
}
