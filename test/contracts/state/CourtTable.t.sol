// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CourtFacts} from "src-contracts/interfaces/ICourt.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {NodeFacts} from "src-contracts/interfaces/INodes.sol";
import {Juror, Testimony, Verdict} from "src-contracts/types/Dispute.sol";
import {Result} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Every call about a lease that was shown, in every state of a dispute about it, by every role, early and late. The juries find it wrong.
contract CourtTableTest is CourtTest {
    enum At {
        Undisputed,
        Serving,
        Full,
        Judged,
        Appealed,
        FullAgain,
        JudgedAgain,
        Ended
    }

    enum Call {
        Challenge,
        Serve,
        Testify,
        Judge,
        Appeal,
        Enforce,
        Settle,
        Lapse,
        Cancel,
        Close
    }

    enum Role {
        Challenger,
        Juror,
        Holder,
        Stranger
    }

    struct Cell {
        At at;
        Call call;
        Role role;
        bool late;
    }

    uint256 private constant CALLS = 10;
    bytes4 private constant OK = 0;
    bytes4 private constant DISPUTE = CourtFacts.DisputeInState.selector;
    bytes4 private constant EARLY = JobFacts.TooEarly.selector;
    bytes4 private constant LATE = JobFacts.DeadlinePassed.selector;
    bytes4 private constant POOR = LedgerFacts.BalanceTooLow.selector;

    /// @dev Everyone is drawn after a second, so that the table is about states, not luck.
    function _params() internal view override returns (Params memory p) {
        p = super._params();
        (p.drawStep, p.drawOpenAfter) = (1, 1);
    }

    function test_Table_Disputes() external {
        uint256 legal;
        for (uint256 at; at <= uint256(At.Ended); ++at) {
            uint256 clean = vm.snapshotState();
            legal += _row(At(at));
            vm.revertToState(clean);
        }
        assertEq(8 * CALLS * 4 * 2, 640, "cells");
        assertEq(legal, 48, "legal cells");
    }

    function _row(At at) private returns (uint256 legal) {
        Suit memory s = _reach(at);
        Actor memory next = jurors[JURORS - 2]; // whose print nobody of either jury has
        uint256 early = vm.getBlockTimestamp();
        uint256 state = vm.snapshotState();
        for (uint256 i; i < CALLS * 4 * 2; ++i) {
            Cell memory c = Cell(at, Call(i / 8), Role(i / 2 % 4), i % 2 == 1);
            vm.warp(c.late ? early + 2 days : early);
            if (_cell(c, s, next)) ++legal;
            vm.revertToState(state);
        }
    }

    /// @dev Brings a fresh lease to a state, and lets two seconds and some blocks pass.
    function _reach(At at) private returns (Suit memory s) {
        Work memory w = _revealed(_terms(1));
        s = at == At.Undisputed ? _suit(w, 0) : _challenged(w, 0);
        if (at >= At.Full) _serveSoon(s, 5);
        if (at >= At.Judged) _judge(s);
        if (at >= At.Appealed && at != At.Ended) _appeal(s);
        if (at == At.Appealed) delete s.said;
        if (at == At.FullAgain || at == At.JudgedAgain) _serveSoon(s, 11);
        if (at == At.JudgedAgain) _judge(s);
        if (at == At.Ended) {
            _pass(APPEAL);
            _enforce(s);
        }
        _pass(2);
    }

    /// @dev The jury sits at once, not after the wait that other tests need.
    function _serveSoon(Suit memory s, uint256 seats) private {
        uint256 at = vm.getBlockTimestamp();
        _serve(s, _all(Verdict.Invalid, seats));
        vm.warp(at + DRAWN);
    }

    function _cell(Cell memory c, Suit memory s, Actor memory next) private returns (bool ok) {
        bytes memory data = _data(c, s, c.role == Role.Holder ? alice.id : next.id);
        address caller = c.role == Role.Challenger ? challenger : c.role == Role.Stranger ? stranger : next.operator;
        vm.prank(c.role == Role.Holder ? alice.operator : caller);
        bytes memory answer;
        (ok, answer) = address(market).call(data);
        string memory name = string.concat("at ", vm.toString(uint256(c.at)), " call ", vm.toString(uint256(c.call)));
        name = string.concat(name, " role ", vm.toString(uint256(c.role)), c.late ? " late" : "");
        assertEq(ok ? OK : bytes4(answer), _expected(c), name);
    }

    function _data(Cell memory c, Suit memory s, uint32 node) private view returns (bytes memory) {
        Work memory w = s.w;
        if (c.call == Call.Challenge) {
            return abi.encodeCall(market.challenge, (w.t.pack(), w.l.pack(), w.r, _shard(w, 0), 0));
        }
        if (c.call == Call.Serve) {
            return abi.encodeCall(market.serve, (w.t.pack(), w.l.pack(), 0, node, keccak256("vote")));
        }
        if (c.call == Call.Testify) {
            Testimony memory first;
            if (s.said.length != 0) first = s.said[0];
            return abi.encodeCall(market.testify, (w.t.pack(), w.l.pack(), 0, _list(s), 0, first));
        }
        if (c.call == Call.Judge) return abi.encodeCall(market.judge, (w.t.pack(), w.l.pack(), 0, s.said));
        if (c.call == Call.Appeal) return abi.encodeCall(market.appeal, (w.t.pack(), w.l.pack(), 0, 0));
        if (c.call == Call.Enforce) return abi.encodeCall(market.enforce, (w.t.pack(), w.l.pack(), w.r, 0));
        if (c.call == Call.Lapse) return abi.encodeCall(market.lapse, (w.t.pack(), w.l.pack()));
        if (c.call == Call.Cancel) return abi.encodeCall(market.cancel, (w.t.pack()));
        if (c.call == Call.Close) return abi.encodeCall(market.close, (w.t.pack()));
        (Lease[] memory leases, Result[] memory results) = (new Lease[](1), new Result[](1));
        (leases[0], results[0]) = (w.l, w.r);
        return abi.encodeCall(market.settle, (w.t.pack(), Packing.pack(leases), results));
    }

    /* THE RULES */

    function _isServing(At at) private pure returns (bool) {
        return at == At.Serving || at == At.Full || at == At.Appealed || at == At.FullAgain;
    }

    function _isFull(At at) private pure returns (bool) {
        return at == At.Full || at == At.FullAgain;
    }

    function _expected(Cell memory c) private pure returns (bytes4) {
        if (c.call == Call.Lapse) return JobFacts.LeaseInPhase.selector;
        if (c.call == Call.Cancel) return JobFacts.NotRequester.selector;
        if (c.call == Call.Close) {
            // A wrong lease of the whole job opens it again.
            return c.at != At.Ended ? JobFacts.JobInState.selector : c.late ? OK : EARLY;
        }
        if (c.call == Call.Settle) {
            return c.at != At.Undisputed ? JobFacts.LeaseInPhase.selector : c.late ? OK : EARLY;
        }
        if (c.call == Call.Challenge) return c.at != At.Undisputed ? DISPUTE : c.late ? LATE : _pays(c);
        if (c.call == Call.Appeal) {
            if (c.at == At.JudgedAgain) return CourtFacts.RoundFinal.selector;
            return c.at != At.Judged ? DISPUTE : c.late ? LATE : _pays(c);
        }
        if (c.call == Call.Enforce) {
            if (c.at == At.JudgedAgain) return OK; // nobody can appeal
            return c.at != At.Judged ? DISPUTE : c.late ? OK : EARLY;
        }
        if (!_isServing(c.at)) return DISPUTE;
        if (c.call == Call.Serve) return _serve_(c);
        // With all seats taken at once, and in time; else when serving is over, which is too late to speak two days on.
        if (!_isFull(c.at) && !c.late) return EARLY;
        if (c.call == Call.Judge && !_isFull(c.at)) return OK; // of nobody
        return c.late ? LATE : OK;
    }

    function _pays(Cell memory c) private pure returns (bytes4) {
        return c.role == Role.Challenger ? OK : POOR;
    }

    function _serve_(Cell memory c) private pure returns (bytes4) {
        if (c.late) return LATE;
        if (c.role == Role.Holder) return CourtFacts.JurorIsParty.selector;
        if (c.role != Role.Juror) return NodeFacts.NotNodeOperator.selector;
        return _isFull(c.at) ? CourtFacts.JuryFull.selector : OK;
    }
}
