// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobState} from "src-contracts/types/Job.sol";
import {Phase, Result} from "src-contracts/types/Lease.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Random lives of ranges with three or five seats, and what the table of outcomes says of each, kept in books of their own. Every call
/// must succeed. Jobs are in DPU and have one shard, or two ranges of one shard each.
abstract contract PanelHandler is MarketTest {
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
    uint256 private clock;
    uint256 private height;

    modifier acts(bytes32 action, uint256 seed) {
        if (clock == 0) (clock, height) = (vm.getBlockTimestamp(), vm.getBlockNumber());
        vm.warp(clock + (seed >> 200) % 40);
        vm.roll(height + 2);
        if (tried[action]++ == 0) actions.push(action);
        _;
        (clock, height) = (vm.getBlockTimestamp(), vm.getBlockNumber());
    }

    function _owners() internal view override returns (address[] memory owners) {
        owners = new address[](nodes.length);
        for (uint256 i; i < nodes.length; ++i) {
            owners[i] = nodes[i].owner;
        }
    }

    /* OPENING */

    function actPost(uint256 seed) external acts("post", seed) {
        Terms memory t = _terms();
        (t.node, t.seats) = (0, seed % 3 == 0 ? 5 : 3);
        (t.shards, t.maxLease) = (seed >> 8) % 2 == 0 ? (1, 1) : (2, 1);
        t.window = (seed >> 16) % 2 == 0 ? 0 : 60;
        t.maxPrice = uint96(1 + (seed >> 24) % 3e18);
        t.minPrice = uint96((seed >> 90) % t.maxPrice);
        t.exec = uint32(60 + (seed >> 130) % 600);
        bytes32 id = _post(t);
        jobs.push();
        Booked storage j = jobs[jobs.length - 1];
        (j.t, j.id, j.left) = (t, id, uint256(t.shards) * t.maxPrice * t.seats);
        balances[requester] -= j.left;
        ++done["post"];
    }

    /// @dev The drawn node takes the next range, or one that nobody holds any more.
    function actClaim(uint256 seed) external acts("claim", seed) {
        if (jobs.length == 0) return;
        uint256 index = seed % jobs.length;
        Booked storage j = jobs[index];
        if (j.over || vm.getBlockTimestamp() > j.t.expiry) return;
        uint256 r = _lapsedOf(index);
        Actor memory n = nodes[(seed >> 8) % nodes.length];
        uint32 first = r < ranges.length ? ranges[r].first : uint32(j.cursor);
        if (r == ranges.length && j.cursor == j.t.shards) return;
        (, uint40 from) = market.drawn(j.t.pack(), first, n.id);
        if (from == 0 || from > j.t.expiry || _free(n) < j.t.bond) return;
        if (from > _now()) vm.warp(from);
        vm.prank(n.operator);
        if (r < ranges.length) {
            market.takeOver(j.t.pack(), first, n.id);
        } else {
            market.claim(j.t.pack(), n.id, 1);
            r = ranges.length;
            ranges.push();
            (ranges[r].job, ranges[r].first) = (index, first);
            ++j.cursor;
        }
        Range storage range = ranges[r];
        uint256 bonus = range.bonus;
        (range.seated, range.waiting, range.bonus) = (true, false, 0);
        (range.joinUntil, range.movedAt) = (_now() + 2 * uint256(j.t.exec), _now());
        delete range.seats;
        ++j.busy;
        _seatTaken(r, n, bonus);
        ++done["claim"];
    }

    function _lapsedOf(uint256 index) private view returns (uint256 r) {
        while (r < ranges.length && (ranges[r].job != index || !ranges[r].waiting)) ++r;
    }

    function _seatTaken(uint256 r, Actor memory n, uint256 bonus) private {
        Booked storage j = jobs[ranges[r].job];
        seats.push();
        Seat storage s = seats[seats.length - 1];
        (s.range, s.phase, s.at) = (r, Phase.Claimed, _now());
        Work memory w;
        (w.t, w.id, w.n) = (j.t, j.id, n);
        w.l = Packing.readable(_seatWordOf(j.id, ranges[r].first, n.id), ranges[r].first);
        w.salt = keccak256(abi.encode(seats.length));
        assertEq(w.l.bonus, bonus, "bonus");
        s.w = w;
        ranges[r].seats.push(seats.length - 1);
        locked[n.id] += j.t.bond;
    }

    function actJoin(uint256 seed) external acts("join", seed) {
        (bool found, uint256 r) = _seatedRange(seed);
        if (!found) return;
        Booked storage j = jobs[ranges[r].job];
        Actor memory n = nodes[(seed >> 8) % nodes.length];
        (, uint40 from) = market.drawn(j.t.pack(), ranges[r].first, n.id);
        if (from == 0 || from > ranges[r].joinUntil || _free(n) < j.t.bond) return;
        if (from > _now()) vm.warp(from);
        vm.prank(n.operator);
        market.join(j.t.pack(), ranges[r].first, n.id);
        uint256 bonus = ranges[r].bonus;
        ranges[r].bonus = 0;
        _seatTaken(r, n, bonus);
        ++done["join"];
    }

    function _seatedRange(uint256 seed) private view returns (bool, uint256) {
        for (uint256 i; i < ranges.length; ++i) {
            uint256 r = (seed % ranges.length + i) % ranges.length;
            if (ranges[r].seated) return (true, r);
        }
        return (false, 0);
    }

    /* WORKING */

    function _seatIn(Phase phase, uint256 seed) private view returns (uint256) {
        for (uint256 i; i < seats.length; ++i) {
            uint256 k = (seed % seats.length + i) % seats.length;
            if (seats[k].phase == phase) return k;
        }
        return seats.length;
    }

    /// @dev Most are honest; one in four has an answer of its own, and now and then two share a wrong one.
    function actCommit(uint256 seed) external acts("commit", seed) {
        uint256 k = _seatIn(Phase.Claimed, seed);
        if (k == seats.length || _now() > seats[k].w.l.deadline) return;
        Work memory w = seats[k].w;
        uint256 kind = (seed >> 8) % 8;
        w.r = _result(kind < 6 ? "right" : kind == 6 ? "shared lie" : string(abi.encode(k)));
        _commit(w);
        (seats[k].w, seats[k].phase, seats[k].at) = (w, Phase.Committed, _now());
        ranges[seats[k].range].movedAt = _now();
        ++done["commit"];
    }

    function actLapse(uint256 seed) external acts("lapse", seed) {
        uint256 k = _seatIn(Phase.Claimed, seed);
        if (k == seats.length || ((seed >> 8) % 4 != 0 && _now() <= seats[k].w.l.deadline)) return;
        _lapseAt(k);
        ++done["lapse"];
    }

    function _lapseAt(uint256 k) internal {
        Work memory w = seats[k].w;
        if (_now() <= w.l.deadline) vm.warp(uint256(w.l.deadline) + 1);
        market.lapse(w.t.pack(), w.l.pack());
        Range storage r = ranges[seats[k].range];
        seats[k].phase = Phase.None;
        r.bonus += w.l.bonus + _slashed(w.n.id, w.t.bond, uint256(w.t.bond) / 5);
        r.movedAt = _now();
        for (uint256 i; i < r.seats.length; ++i) {
            if (r.seats[i] != k) continue;
            r.seats[i] = r.seats[r.seats.length - 1];
            r.seats.pop();
        }
        if (r.seats.length == 0) _freed(r);
    }

    function _freed(Range storage r) private {
        (r.seated, r.waiting) = (false, true);
        --jobs[r.job].busy;
    }

    /// @dev Books a slash and returns what of it funds a retry, in gwei.
    function _slashed(uint32 node, uint256 bond, uint256 amount) private returns (uint256 retry) {
        retry = amount * 4 / 10 / 1e9;
        burnt += amount / 2;
        balances[treasury] += amount - amount / 2 - retry * 1e9;
        stakes[node] -= amount;
        locked[node] -= bond;
    }

    function _committedAll(uint256 r) internal view returns (bool) {
        for (uint256 i; i < ranges[r].seats.length; ++i) {
            if (seats[ranges[r].seats[i]].phase == Phase.Claimed) return false;
        }
        return true;
    }

    /// @dev When reveals open; waits for the end of joining when not everybody sits.
    function _openReveal(uint256 r) private returns (bool, uint256 closes) {
        if (!_committedAll(r)) return (false, 0);
        Range storage range = ranges[r];
        uint256 opens = range.movedAt;
        if (range.seats.length < jobs[range.job].t.seats) {
            if (opens <= range.joinUntil) opens = range.joinUntil + 1;
        }
        if (_now() < opens) vm.warp(opens);
        return (true, opens + 10 minutes);
    }

    function actReveal(uint256 seed) external acts("reveal", seed) {
        uint256 k = _seatIn(Phase.Committed, seed);
        if (k == seats.length) return;
        (bool open, uint256 closes) = _openReveal(seats[k].range);
        if (!open || _now() > closes) return;
        _reveal(seats[k].w);
        (seats[k].phase, seats[k].at) = (Phase.Revealed, _now());
        ++done["reveal"];
    }

    function actAgree(uint256 seed) external acts("agree", seed) {
        (bool found, uint256 r) = _seatedRange(seed);
        if (!found || !_committedAll(r)) return;
        _agreeAt(r, (seed >> 8) % 2 == 0);
        ++done["agree"];
    }

    /* AGREEING */

    /// @dev Ends the panel: those who have not revealed do so now where the job allows it and `show` says so, else their time runs out first.
    function _agreeAt(uint256 r, bool show) internal {
        _sort(ranges[r].seats);
        (, uint256 closes) = _openReveal(r);
        Booked storage j = jobs[ranges[r].job];
        uint256 count = ranges[r].seats.length;
        (Lease[] memory leases, Result[] memory results) = (new Lease[](count), new Result[](count));
        bytes32[] memory salts = new bytes32[](count);
        uint256 held;
        bool silent;
        show = show && j.t.window == 0 && _now() <= closes;
        for (uint256 i; i < count; ++i) {
            Seat storage s = seats[ranges[r].seats[i]];
            (leases[i], results[i]) = (s.w.l, s.w.r);
            if (s.phase == Phase.Revealed) {
                if (s.at + j.t.window > held) held = s.at + j.t.window;
            } else if (show) {
                salts[i] = s.w.salt;
                s.phase = Phase.Revealed;
            } else {
                silent = true;
            }
        }
        if (silent && _now() <= closes) vm.warp(closes + 1);
        if (j.t.window != 0 && _now() <= held) vm.warp(held + 1);
        market.agree(j.t.pack(), ranges[r].first, Packing.pack(leases), results, salts);
        _bookEnd(ranges[r], j, results);
    }

    function _sort(uint256[] storage list) private {
        for (uint256 i = 1; i < list.length; ++i) {
            for (uint256 k = i; k > 0 && seats[list[k]].w.n.id < seats[list[k - 1]].w.n.id; --k) {
                (list[k], list[k - 1]) = (list[k - 1], list[k]);
            }
        }
    }

    function _bookEnd(Range storage r, Booked storage j, Result[] memory results) private {
        uint256 heard;
        uint256 most;
        bytes32 root;
        for (uint256 i; i < results.length; ++i) {
            if (seats[r.seats[i]].phase != Phase.Revealed) continue;
            ++heard;
            uint256 same;
            for (uint256 k; k < results.length; ++k) {
                if (seats[r.seats[k]].phase == Phase.Revealed && results[k].root == results[i].root) ++same;
            }
            if (same > most) (most, root) = (same, results[i].root);
        }
        bool agreed = most >= (uint256(j.t.seats) + 1) / 2;
        for (uint256 i; i < results.length; ++i) {
            _bookSeat(r, j, seats[r.seats[i]], agreed, results[i].root == root);
        }
        if (heard == 0) return _freed(r);
        balances[treasury] += r.bonus * 1e9;
        (r.bonus, r.seated) = (0, false);
        --j.busy;
        if (agreed) ++j.done;
        bool solo = j.t.shards == 1;
        if (solo || j.done == j.t.shards || (j.busy == 0 && _now() > j.t.expiry)) _bookOver(j);
    }

    function _bookSeat(Range storage r, Booked storage j, Seat storage s, bool agreed, bool same) private {
        uint256 bond = j.t.bond;
        if (s.phase != Phase.Revealed || (agreed && !same)) {
            r.bonus += s.w.l.bonus + _slashed(s.w.n.id, bond, bond);
        } else {
            uint256 gross = agreed ? s.w.l.price : s.w.l.price / 2;
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

    function actClose(uint256 seed) external acts("close", seed) {
        if (jobs.length == 0) return;
        uint256 index = seed % jobs.length;
        Booked storage j = jobs[index];
        if (j.over || j.busy != 0 || ((seed >> 8) % 8 != 0 && _now() <= j.t.expiry)) return;
        _closeAt(index);
        ++done["close"];
    }

    function _closeAt(uint256 index) internal {
        Booked storage j = jobs[index];
        if (_now() <= j.t.expiry) vm.warp(uint256(j.t.expiry) + 1);
        market.close(j.t.pack());
        _bookOver(j);
    }

    function _isOver(bytes32 id) internal view returns (bool) {
        JobState state = market.job(id).state;
        return state == JobState.Complete || state == JobState.Closed;
    }
}
