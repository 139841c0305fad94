// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Verdict} from "src-contracts/types/Dispute.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Packing} from "test/contracts/lib/Readable.sol";

/// @dev A holder that challenges itself, with its own money on both sides, never has more than by leaving its lease alone.
contract SelfTest is CourtTest {
    function setUp() public override {
        super.setUp();
        market.deposit(address(dpu), alice.owner, 100e18);
    }

    function _wealth() private view returns (uint256) {
        return _balance(alice.owner) + _stake(alice);
    }

    function _own(Work memory w) private returns (Suit memory s) {
        s = _suit(w, 0);
        vm.prank(alice.owner);
        market.challenge(w.t.pack(), w.l.pack(), w.r, _shard(w, 0), 0);
    }

    function _ended(Suit memory s) private returns (uint256) {
        vm.warp(vm.getBlockTimestamp() + 1 hours);
        _enforce(s);
        Verdict verdict = _dispute(s).verdict;
        if (verdict == Verdict.Valid || verdict == Verdict.Withheld || verdict == Verdict.None) _settle(s.w);
        return _wealth();
    }

    /// @dev What is left when nobody doubts it.
    function _honest() private returns (uint256 wealth) {
        uint256 snapshot = vm.snapshotState();
        Work memory w = _revealed(_terms(1));
        vm.warp(vm.getBlockTimestamp() + 1 hours);
        _settle(w);
        wealth = _wealth();
        vm.revertToState(snapshot);
    }

    function test_Self_LosesWhateverTheJurySays() external {
        uint256 honest = _honest();
        uint256 snapshot = vm.snapshotState();
        Verdict[4] memory verdicts = [Verdict.Valid, Verdict.Withheld, Verdict.Invalid, Verdict.SpecFault];
        uint256[4] memory lost = [uint256(7.5e18), 5e18, 5e18 + 1.8e18 + 1.94e18, 5e18];
        for (uint256 i; i < 4; ++i) {
            Suit memory s = _own(_revealed(_terms(1)));
            _tried(s, _all(verdicts[i], 5));
            assertEq(honest - _ended(s), lost[i]);
            vm.revertToState(snapshot);
        }
    }

    function test_Self_LosesByAnUndecidedJury() external {
        uint256 honest = _honest();
        Suit memory s = _own(_revealed(_terms(1)));
        _tried(s, _split(Verdict.Valid, 3, Verdict.Invalid, 2));
        assertEq(honest - _ended(s), 5e18 + 0.97e18);
    }

    function test_Self_GainsNothingWhereNoJuryComes() external {
        uint256 honest = _honest();
        uint256 snapshot = vm.snapshotState();
        Suit memory s = _own(_revealed(_terms(1)));
        _tried(s, _all(Verdict.Valid, 0));
        assertEq(_ended(s), honest);
        vm.revertToState(snapshot);
        s = _own(_revealed(_terms(1)));
        _tried(s, _all(Verdict.Valid, 3));
        assertEq(honest - _ended(s), 3e18);
    }

    /// @dev Neither does a holder that pays both juries.
    function test_Self_LosesByAppealing() external {
        uint256 honest = _honest();
        uint256 snapshot = vm.snapshotState();
        Verdict[4] memory verdicts = [Verdict.Valid, Verdict.Withheld, Verdict.Invalid, Verdict.SpecFault];
        for (uint256 i; i < 16; ++i) {
            Suit memory s = _own(_revealed(_terms(1)));
            _tried(s, _all(verdicts[i / 4], 5));
            vm.prank(alice.owner);
            market.appeal(s.w.t.pack(), s.w.l.pack(), 0, 0);
            s.round = 2;
            _tried(s, _all(verdicts[i % 4], 11));
            assertLe(_ended(s), honest - 16e18, "at least what both juries cost");
            vm.revertToState(snapshot);
        }
    }
}
