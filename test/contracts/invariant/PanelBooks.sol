// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LeaseLib, Phase, Result} from "src-contracts/types/Lease.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev The table of outcomes a second time, in the plainest words: who owns what after a panel ended.
abstract contract PanelBooks is PanelTest {
    struct Range {
        uint256 job;
        uint32 first;
        bool seated;
        /// Gwei that wait on the range, in the panel or with the lapsed range.
        uint256 bonus;
        bool waiting;
        uint256 joinUntil;
        uint256 movedAt;
        uint256[] seats;
        /// The same in the order of their commitments.
        uint256[] order;
    }

    struct Seat {
        uint256 range;
        Phase phase;
        uint256 at;
        Work w;
    }

    struct Booked {
        Terms t;
        bytes32 id;
        uint256 left;
        uint256 cursor;
        uint256 done;
        uint256 busy;
        bool over;
    }

    Booked[] internal jobs;
    Range[] internal ranges;
    Seat[] internal seats;
    Actor[] internal nodes;
    mapping(address owner => uint256) internal balances;
    mapping(uint32 node => uint256) internal stakes;
    mapping(uint32 node => uint256) internal locked;
    uint256 internal fees;
    uint256 internal burnt;
    mapping(bytes32 action => uint256) internal tried;
    mapping(bytes32 action => uint256) internal done;
    bytes32[] internal actions;

    /* RULES */

    function _owners() internal view virtual override returns (address[] memory owners) {
        owners = new address[](nodes.length);
        for (uint256 i; i < nodes.length; ++i) {
            owners[i] = nodes[i].owner;
        }
    }

    /// @dev Most are honest; one in four has an answer of its own, says that there is none, or shares a lie.
    function _answer(uint256 seed, uint256 k) internal pure returns (Result memory) {
        uint256 kind = seed % 16;
        if (kind < 10) return _result("right");
        if (kind < 12) return _result("shared lie");
        if (kind < 14) return Result(LeaseLib.SPEC_FAULT, 0, 0);
        return _result(string(abi.encode(k)));
    }

    function _isFault(Result memory r) internal pure returns (bool) {
        return r.root == LeaseLib.SPEC_FAULT;
    }

    /// @dev Whether two answers count as one.
    function _alike(Terms memory t, Result memory one, Result memory other) internal pure returns (bool) {
        if (t.tolerant) return _isFault(one) == _isFault(other);
        return one.root == other.root;
    }

    function _freed(Range storage r) internal {
        (r.seated, r.waiting) = (false, true);
        --jobs[r.job].busy;
    }

    /// @dev Books a slash and returns what of it funds a retry, in gwei.
    function _slashed(uint32 node, uint256 bond, uint256 amount) internal returns (uint256 retry) {
        retry = amount * 4 / 10 / 1e9;
        burnt += amount / 2;
        balances[treasury] += amount - amount / 2 - retry * 1e9;
        stakes[node] -= amount;
        locked[node] -= bond;
    }

    function _bookEnd(Range storage r, Booked storage j, Work[] memory panel) internal {
        uint256 heard;
        uint256 most;
        Result memory best;
        for (uint256 i; i < panel.length; ++i) {
            if (seats[r.order[i]].phase != Phase.Revealed) continue;
            ++heard;
            uint256 same;
            for (uint256 k; k < panel.length; ++k) {
                if (seats[r.order[k]].phase == Phase.Revealed && _alike(j.t, panel[k].r, panel[i].r)) ++same;
            }
            if (same > most) (most, best) = (same, panel[i].r);
        }
        bool agreed = most >= (uint256(j.t.seats) + 1) / 2;
        for (uint256 i; i < panel.length; ++i) {
            _bookSeat(r, j, seats[r.order[i]], agreed, best);
        }
        if (heard == 0) return _freed(r);
        balances[treasury] += r.bonus * 1e9;
        (r.bonus, r.seated) = (0, false);
        --j.busy;
        if (agreed && _isFault(best)) ++done["fault"];
        if (agreed && !_isFault(best)) ++j.done;
        if (!agreed) ++done["unresolved"];
        bool solo = j.t.shards == 1;
        if (solo || j.done == j.t.shards || (j.busy == 0 && _now() > j.t.expiry)) _bookOver(j);
    }

    function _bookSeat(Range storage r, Booked storage j, Seat storage s, bool agreed, Result memory best) internal {
        uint256 bond = j.t.bond;
        if (s.phase != Phase.Revealed || (agreed && !_alike(j.t, s.w.r, best))) {
            r.bonus += s.w.l.bonus + _slashed(s.w.n.id, bond, bond);
        } else {
            uint256 gross = s.w.l.price;
            if (!agreed) gross /= 2;
            else if (_isFault(best)) gross = j.t.window == 0 ? 0 : gross / 2;
            j.left -= gross;
            fees += gross * 3 / 100;
            balances[s.w.n.owner] += gross - gross * 3 / 100;
            if (agreed) balances[s.w.n.owner] += uint256(s.w.l.bonus) * 1e9;
            else r.bonus += s.w.l.bonus;
            locked[s.w.n.id] -= bond;
        }
        s.phase = Phase.None;
    }

    function _bookOver(Booked storage j) internal {
        balances[requester] += j.left;
        (j.left, j.over) = (0, true);
    }
}
