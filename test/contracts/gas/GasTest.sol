// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Params} from "src-contracts/types/Params.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Steady state: every account, fee pot and node has been used before, so no slot of theirs is written for the first time.
/// Numbers are a whole transaction's, as in its receipt, because of `isolate`. Seeds are chosen: alice is drawn, audits are not.
abstract contract GasTest is MarketTest {
    string internal constant STEPS = "steps";
    string internal constant PARTS = "parts";
    string internal constant TOTALS = "totals";

    string internal what;
    uint256 internal sum;
    uint256 internal count;

    /// @dev Adds what the last call cost, and keeps it as one of the parts.
    function _add() internal {
        sum += vm.snapshotGasLastCall(PARTS, string.concat(what, ", transaction ", vm.toString(++count)));
    }

    function setUp() public virtual override {
        super.setUp();
        for (uint32 node = 1; node <= 3; ++node) {
            for (uint256 i; i < 2; ++i) {
                Terms memory t = i == 0 ? _direct() : _inUsd(_direct());
                t.node = node;
                _settled(t);
            }
        }
        vm.prank(alice.operator);
        market.setEndpoint(alice.id, "http://127.0.0.1:24101/");
    }

    /// @dev One shard as requesters post it: open to the draw, ramp running, DPU or the plain ERC-20.
    function _job(bool direct, bool inUsd) internal returns (Terms memory t) {
        t = direct ? _direct() : _terms();
        t.node = 0;
        if (inUsd) _inUsd(t);
    }

    /// @dev Lets the clock run to where alice may claim, by a seed that draws her at once.
    function _draw(Terms memory t) internal {
        uint256 posted = vm.getBlockNumber();
        _pass(2, 2);
        for (uint256 i = 1;; ++i) {
            vm.setBlockhash(posted + 1, keccak256(abi.encode(i)));
            (bool now_,) = market.drawn(t.pack(), 0, alice.id);
            if (now_) return;
        }
    }

    /// @dev Lets the clock run to where a commit may be revealed, by a seed that spares it the audit.
    function _spare(Work memory w, uint256 rate) internal {
        _pass(2, 2);
        bytes32 seed = keccak256("seed");
        while (uint256(keccak256(abi.encode(seed, w.id, uint256(w.l.first), "audit"))) % 10_000 < rate) {
            seed = keccak256(abi.encode(seed));
        }
        vm.setBlockhash(w.l.committedBlock + 1, seed);
    }

    /// @dev A version of the parameters that audits 2 % of leases, as DESIGN.md wants it.
    function _auditing() internal returns (uint16 version) {
        Params memory p = _params();
        p.auditRates = 0xaaa8;
        vm.prank(governor);
        return market.addParams(p);
    }

    /// @dev Snapshots are compared with the committed ones; `script/bench/gas.ts` judges them against the targets.
    function _report(uint256 value) internal {
        vm.snapshotValue(TOTALS, what, value);
    }

    /// @dev The seat on all of a job that `n` will have when it sits down now.
    function _expected(Terms memory t, Actor memory n) internal view returns (Work memory w) {
        w.t = t;
        w.id = market.jobId(t.pack());
        w.n = n;
        w.r = _result("r");
        w.salt = keccak256(abi.encode(w.id, n.id));
        (w.l.count, w.l.node, w.l.price) = (uint16(t.shards), n.id, t.maxPrice);
        w.l.deadline = uint40(_now() + t.exec);
        w.l.flags = 0xa0;
    }
}
