// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Bound, Said} from "src-contracts/interfaces/IPanels.sol";
import {LeaseWordLib, Result} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Every call on a panel of three and on an audit, in every state by every role, early and late. Alice holds the first seat; in an audit she
/// holds the lease and bob checks it. The challenge window is two minutes.
contract SeatTableTest is PanelTest {
    enum At {
        Open,
        Sitting,
        Waiting,
        Bound,
        Shown,
        Lapsed,
        Ended,
        Drawn,
        Audited,
        AuditBound,
        AuditShown,
        Alone
    }

    enum Call {
        Sit,
        Audit,
        CommitSeat,
        CommitAudit,
        RevealSeat,
        Agree,
        Lapse,
        LapseAudit,
        Claim,
        TakeOver,
        Commit,
        Reveal,
        Settle,
        Accept,
        Close
    }

    enum Role {
        Holder,
        Rival,
        Requester,
        Stranger
    }

    struct Cell {
        At at;
        Call call;
        Role role;
        bool late;
        bool shared;
    }

    uint256 private constant CALLS = 15;
    bytes4 private constant OK = 0;
    bytes4 private constant PHASE = JobFacts.LeaseInPhase.selector;
    bytes4 private constant STATE = JobFacts.JobInState.selector;
    bytes4 private constant EARLY = JobFacts.TooEarly.selector;
    bytes4 private constant LATE = JobFacts.DeadlinePassed.selector;
    bytes4 private constant OPERATOR = NodeFacts.NotNodeOperator.selector;

    function _params() internal view override returns (Params memory p) {
        p = super._params();
        (p.drawStep, p.drawOpenAfter) = (1, 1);
    }

    function test_Table_Seats() external {
        (uint256 cells, uint256 legal) = _table(At.Open, At.Ended);
        assertEq(cells, 1_680, "cells");
        assertEq(legal, 82, "legal cells");
    }

    function test_Table_Audits() external {
        (uint256 cells, uint256 legal) = _table(At.Drawn, At.Alone);
        assertEq(cells, 1_200, "cells");
        assertEq(legal, 86, "legal cells");
    }

    function _table(At from, At to) private returns (uint256 cells, uint256 legal) {
        for (uint256 i = 2 * uint256(from); i <= 2 * uint256(to) + 1; ++i) {
            uint256 clean = vm.snapshotState();
            cells += CALLS * 4 * 2;
            legal += _row(At(i / 2), i % 2 == 1);
            vm.revertToState(clean);
        }
    }

    function _row(At at, bool shared) private returns (uint256 legal) {
        Work[] memory seats = _reach(at, shared);
        uint256 early = vm.getBlockTimestamp();
        uint256 state = vm.snapshotState();
        for (uint256 i; i < CALLS * 4 * 2; ++i) {
            Cell memory c = Cell(at, Call(i / 8), Role(i / 2 % 4), i % 2 == 1, shared);
            vm.warp(c.late ? early + 2 days : early);
            if (_cell(c, seats)) ++legal;
            vm.revertToState(state);
        }
    }

    function _isAudit(At at) private pure returns (bool) {
        return at >= At.Drawn;
    }

    /* REACHING */

    /// @dev Brings a fresh job to a state, and lets two seconds and two blocks pass. Seats that have committed, alice's first; hers when none has.
    function _reach(At at, bool shared) private returns (Work[] memory seats) {
        Terms memory t = _panelTerms();
        t.window = 2 minutes;
        t.minPrice = t.maxPrice;
        (t.shards, t.maxLease) = shared ? (2, 1) : (1, 1);
        if (_isAudit(at)) (t.seats, t.auditBps) = (1, 10_000);
        _post(t);
        _pass(2, 2);
        seats = _isAudit(at) ? _reachAudit(t, at) : _reachPanel(t, at);
        _pass(2, 2);
    }

    function _reachPanel(Terms memory t, At at) private returns (Work[] memory seats) {
        Work memory w;
        (w.t, w.id, w.n, w.r, w.salt) = (t, market.jobId(t.pack()), alice, _result("right"), bytes32(uint256(1)));
        (w.l.node, w.l.count, w.l.flags) = (alice.id, 1, Packing.flagsOf(t, 1) | LeaseWordLib.SEAT);
        seats = new Work[](at == At.Waiting ? 2 : at >= At.Bound && at != At.Lapsed ? 3 : 1);
        seats[0] = w;
        if (at == At.Open) return seats;
        seats[0] = _sit(w, alice);
        if (at == At.Lapsed) {
            vm.warp(uint256(seats[0].l.deadline) + 1);
            market.lapse(t.pack(), seats[0].l.pack());
        }
        if (at == At.Sitting || at == At.Lapsed) return seats;
        _commit(seats[0]);
        if (seats.length > 1) seats[1] = _sitBound(seats[0], bob);
        if (seats.length > 2) seats[2] = _sitBound(seats[0], carol);
        if (at < At.Shown) return seats;
        for (uint256 i; i < 3; ++i) {
            _revealSeat(seats, i);
        }
        if (at == At.Shown) return seats;
        _pass(2 minutes + 1, 1);
        _agree(seats);
    }

    /// @dev The second seat is bob's, whether he sits there or not.
    function _reachAudit(Terms memory t, At at) private returns (Work[] memory seats) {
        Work memory w = _claim(t, alice, 1);
        _commit(w);
        seats = new Work[](2);
        (seats[0], seats[1]) = (w, abi.decode(abi.encode(w), (Work)));
        seats[1].n = bob;
        (seats[1].l.node, seats[1].l.flags) = (bob.id, w.l.flags | LeaseWordLib.SEAT);
        if (at == At.Drawn) return seats;
        _pass(2, 2);
        seats = _auditedBy(w, bob);
        if (at == At.Alone) {
            vm.warp(uint256(seats[1].l.deadline) + 1);
            market.lapse(t.pack(), seats[1].l.pack());
        }
        if (at == At.Audited || at == At.Alone) return seats;
        _commit(seats[1]);
        if (at == At.AuditBound) return seats;
        _revealSeat(seats, 0);
        _revealSeat(seats, 1);
    }

    /* CALLING */

    function _cell(Cell memory c, Work[] memory seats) private returns (bool ok) {
        bytes4 expected = _isAudit(c.at) ? _expectedInAudit(c) : _expected(c);
        bytes memory data = _data(c, seats);
        address caller = c.role == Role.Requester ? requester : c.role == Role.Stranger ? stranger : _as(c).operator;
        vm.prank(caller);
        bytes memory answer;
        (ok, answer) = address(market).call(data);
        string memory name = string.concat("at ", vm.toString(uint256(c.at)), " call ", vm.toString(uint256(c.call)));
        name = string.concat(
            name, " role ", vm.toString(uint256(c.role)), c.late ? " late" : "", c.shared ? " shared" : ""
        );
        assertEq(ok ? OK : bytes4(answer), expected, name);
    }

    /// @dev The rival of a panel is dave, who does not sit there; of an audit it is the auditor. Others come with the rival's node.
    function _as(Cell memory c) private view returns (Actor memory) {
        return c.role == Role.Holder ? alice : _isAudit(c.at) ? bob : dave;
    }

    function _data(Cell memory c, Work[] memory seats) private view returns (bytes memory) {
        Work memory w = seats[0];
        uint32 node = _as(c).id;
        if (c.call == Call.Sit) return abi.encodeCall(market.sit, (w.t.pack(), 0, 1, node, 0));
        if (c.call == Call.Audit) return abi.encodeCall(market.audit, (w.t.pack(), w.l.pack(), node));
        if (c.call == Call.CommitSeat) {
            return abi.encodeCall(market.commitSeat, (w.id, w.l.pack(), bytes32(uint256(1))));
        }
        if (c.call == Call.Lapse) return abi.encodeCall(market.lapse, (w.t.pack(), w.l.pack()));
        if (c.call == Call.RevealSeat || c.call == Call.Agree) return _panelData(c, w, _those(c.at, seats));
        if (c.call == Call.Claim) return abi.encodeCall(market.claim, (w.t.pack(), node, 1));
        if (c.call == Call.TakeOver) return abi.encodeCall(market.takeOver, (w.t.pack(), 0, node));
        if (c.call == Call.Commit) return abi.encodeCall(market.commit, (w.id, w.l.pack(), bytes32(uint256(1))));
        if (c.call == Call.Reveal) return abi.encodeCall(market.reveal, (w.t.pack(), w.l.pack(), w.r, w.salt));
        if (c.call == Call.Close) return abi.encodeCall(market.close, (w.t.pack()));
        if (c.call == Call.Accept) {
            bytes memory signature = _acceptance(w.t, 0, alice.id, w.r);
            return abi.encodeCall(market.accept, (w.t.pack(), w.l.pack(), w.r, signature));
        }
        if (c.call == Call.Settle) {
            (Lease[] memory leases, Result[] memory results) = (new Lease[](1), new Result[](1));
            (leases[0], results[0]) = (w.l, w.r);
            return abi.encodeCall(market.settle, (w.t.pack(), Packing.pack(leases), results));
        }
        w = seats[seats.length - 1]; // of an audit, the auditor's
        if (c.call == Call.LapseAudit) return abi.encodeCall(market.lapse, (w.t.pack(), w.l.pack()));
        return abi.encodeCall(market.commitSeat, (w.id, w.l.pack(), bytes32(uint256(1))));
    }

    /// @dev The seats that are bound.
    function _those(At at, Work[] memory seats) private pure returns (Work[] memory bound) {
        bool one = at == At.Audited || at == At.Alone;
        bound = new Work[](at == At.Sitting || at == At.Open || at == At.Lapsed ? 0 : one ? 1 : seats.length);
        for (uint256 i; i < bound.length; ++i) {
            bound[i] = seats[i];
        }
    }

    /// @dev Alice shows her result; or all end the panel, who has shown nothing as silent.
    function _panelData(Cell memory c, Work memory w, Work[] memory bound) private view returns (bytes memory) {
        if (c.call == Call.RevealSeat) {
            return abi.encodeCall(market.revealSeat, (w.t.pack(), 0, _bound(bound), 0, w.r, w.salt));
        }
        bool shown = c.at == At.Shown || c.at == At.AuditShown;
        return abi.encodeCall(market.agree, (w.t.pack(), 0, _said(bound, uint256(shown ? 0 : 7))));
    }

    /* THE RULES: a panel */

    function _isOperator(Cell memory c) private pure returns (bool) {
        return c.role == Role.Holder || c.role == Role.Rival;
    }

    function _expected(Cell memory c) private pure returns (bytes4) {
        if (c.call == Call.Sit) return _sit_(c);
        if (c.call == Call.Claim || c.call == Call.TakeOver) return JobFacts.SeveralSeats.selector;
        if (c.call == Call.Reveal) return PHASE;
        if (c.call == Call.Commit || c.call == Call.Settle || c.call == Call.Accept || c.call == Call.Audit) {
            return JobFacts.SeatsAgree.selector;
        }
        if (c.call == Call.CommitSeat || c.call == Call.CommitAudit) {
            if (c.at != At.Sitting) return PHASE;
            return c.role != Role.Holder ? OPERATOR : c.late ? LATE : OK;
        }
        if (c.call == Call.Lapse || c.call == Call.LapseAudit) {
            return c.at != At.Sitting ? PHASE : c.late ? OK : EARLY;
        }
        if (c.call == Call.Close) return _close_(c);
        if (c.at == At.Open || c.at == At.Lapsed || c.at == At.Ended) return PHASE;
        if (c.at == At.Sitting) return EARLY; // who sits may still commit, or lapse
        if (c.call == Call.Agree) return c.late ? OK : EARLY;
        if (c.late) return LATE;
        return c.at == At.Waiting ? EARLY : c.at == At.Bound ? OK : PHASE;
    }

    function _sit_(Cell memory c) private pure returns (bytes4) {
        if (c.at == At.Ended) return c.shared ? PHASE : STATE;
        if (c.at == At.Bound || c.at == At.Shown) return JobFacts.NoSeatFree.selector;
        if (c.at == At.Sitting || c.at == At.Waiting) {
            if (c.late) return LATE;
            if (!_isOperator(c)) return OPERATOR;
            return c.role == Role.Holder ? JobFacts.SeatedAlready.selector : OK;
        }
        if (c.at == At.Lapsed && c.role == Role.Holder) return JobFacts.TakeOverByFailed.selector;
        return !_isOperator(c) ? OPERATOR : c.late ? LATE : OK;
    }

    /// @dev A range that lives is the whole job, or keeps it busy.
    function _close_(Cell memory c) private pure returns (bytes4) {
        bool lives = c.at != At.Open && c.at != At.Lapsed && c.at != At.Ended;
        if (!c.shared && (lives || c.at == At.Ended)) return STATE;
        if (!c.late) return EARLY;
        return lives ? JobFacts.JobBusy.selector : OK;
    }

    /* THE RULES: an audit */

    function _expectedInAudit(Cell memory c) private pure returns (bytes4) {
        if (c.call == Call.Sit || c.call == Call.CommitSeat) return JobFacts.OneSeat.selector;
        if (c.call == Call.Claim) {
            if (!c.shared) return STATE;
            return !_isOperator(c) ? OPERATOR : c.late ? LATE : OK; // the other half of the job
        }
        if (c.call == Call.TakeOver) return c.shared ? PHASE : STATE;
        if (c.call == Call.Close) return _close_(c);
        if (c.call == Call.Commit || c.call == Call.Settle) return PHASE;
        if (c.at == At.Drawn) return _drawn_(c);
        if (c.call == Call.CommitAudit) {
            if (c.at != At.Audited) return PHASE;
            return c.role != Role.Rival ? OPERATOR : c.late ? LATE : OK;
        }
        if (c.call == Call.LapseAudit) return c.at != At.Audited ? PHASE : c.late ? OK : EARLY;
        if (c.call != Call.RevealSeat && c.call != Call.Agree) return PHASE; // the holder cannot go on alone
        if (c.at == At.Audited) return EARLY;
        if (c.call == Call.Agree) return c.late ? OK : EARLY;
        return c.late ? LATE : c.at == At.AuditShown ? PHASE : OK;
    }

    function _drawn_(Cell memory c) private pure returns (bytes4) {
        if (c.call == Call.Accept) return OK;
        if (c.call == Call.Lapse) return c.late ? OK : EARLY;
        if (c.call == Call.Reveal) return c.late ? LATE : EARLY;
        if (c.call != Call.Audit) return PHASE;
        if (c.late) return LATE;
        if (!_isOperator(c)) return OPERATOR;
        return c.role == Role.Holder ? JobFacts.NodeNotEligible.selector : OK;
    }
}
