// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Testimony, Verdict} from "src-contracts/types/Dispute.sol";
import {CourtTest} from "test/contracts/court/CourtTest.sol";
import {Packing} from "test/contracts/lib/Readable.sol";

/// @dev What a dispute costs, as in receipts, once everybody in it has had to do with one before.
contract CourtGasTest is CourtTest {
    string private constant PARTS = "parts";
    string private constant TOTALS = "totals";

    uint256 private sum;

    function setUp() public override {
        super.setUp();
        Verdict[3] memory before = [Verdict.Valid, Verdict.Withheld, Verdict.Invalid];
        for (uint256 i; i < 3; ++i) {
            _decided(_challenged(_revealed(_terms(1)), 0), before[i]);
        }
    }

    function _add(string memory what) private {
        sum += vm.snapshotGasLastCall(PARTS, string.concat("dispute, ", what));
    }

    /// @dev One round with `votes` of five jurors, every transaction counted.
    function _measured(Verdict[] memory votes) private returns (Suit memory s) {
        s = _challenged(_revealed(_terms(1)), 0);
        _add("challenge");
        _pass(DRAWN);
        s.said = new Testimony[](5);
        for (uint256 i; i < 5; ++i) {
            s.said[i] = Testimony(jurors[i].id, votes[i], keccak256("own"), 7, keccak256("evidence"), keccak256("salt"));
            bytes32 commitment = market.testimonyOf(s.key, 1, s.said[i]);
            vm.prank(jurors[i].operator);
            market.serve(s.w.t.pack(), s.w.l.pack(), 0, jurors[i].id, commitment);
            _add(string.concat("juror ", vm.toString(i + 1)));
        }
        _judge(s);
        _add("judge");
    }

    function test_Gas_ChallengeAndVerdict() external {
        Suit memory s = _measured(_all(Verdict.Valid, 5));
        vm.snapshotValue(TOTALS, "challenge and verdict of five jurors", sum);
        assertLe(sum, 650_000);
        _pass(APPEAL);
        _enforce(s);
        vm.snapshotGasLastCall(TOTALS, "verdict enforced, valid");
    }

    function test_Gas_EnforceInvalid() external {
        Suit memory s = _challenged(_revealed(_terms(1)), 0);
        _tried(s, _all(Verdict.Invalid, 5));
        _pass(APPEAL);
        _enforce(s);
        vm.snapshotGasLastCall(TOTALS, "verdict enforced, invalid");
    }
}
