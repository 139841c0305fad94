// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Vm} from "forge-std/Vm.sol";
import {JobFacts} from "src-contracts/interfaces/IJobs.sol";
import {JobState} from "src-contracts/types/Job.sol";
import {Result} from "src-contracts/types/Lease.sol";
import {PanelTest} from "test/contracts/lib/PanelTest.sol";
import {Terms} from "test/contracts/lib/Readable.sol";

/// @dev Which results a panel's end tells by themselves, and where the smallest bonus goes.
contract AgreeToldTest is PanelTest {
    /// @dev Ends the panel; the nodes whose results were told, one in each bit.
    function _toldAtTheEnd(Work[] memory seats, uint256 silent) private returns (uint256 told) {
        vm.recordLogs();
        _agree(seats, silent);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != JobFacts.LeaseRevealed.selector) continue;
            for (uint256 k; k < seats.length; ++k) {
                if (uint256(logs[i].topics[2]) == seats[k].n.id) told |= 1 << k;
            }
        }
    }

    function test_Agree_TellsNoResultThatIsWhatThePanelEndedWith() external {
        Work[] memory seats = _seated(_panelTerms());
        _commitAll(seats);
        assertEq(_toldAtTheEnd(seats, 0), 0);
    }

    function test_Agree_TellsEachResultThatDiffersInOneField() external {
        for (uint256 field; field < 3; ++field) {
            uint256 at = vm.snapshotState();
            Work[] memory seats = _seated(_panelTerms());
            if (field == 0) seats[1].r.root = keccak256("another");
            if (field == 1) seats[1].r.units += 1;
            if (field == 2) seats[1].r.manifest = keccak256("another");
            _commitAll(seats);
            assertEq(_toldAtTheEnd(seats, 0), 2);
            vm.revertToState(at);
        }
    }

    function test_Agree_TellsNeitherASilentSeatNorOneThatWasShownBefore() external {
        Work[] memory seats = _seated(_panelTerms());
        seats[0].r = _result("wrong");
        _commitAll(seats);
        _revealSeat(seats, 0);
        _revealSeat(seats, 2);
        _pass(10 minutes + 1, 1);
        assertEq(_toldAtTheEnd(seats, 2), 0);
    }

    /// @dev The whole bond is 2.5 gwei, so what would fund a retry is one.
    function test_Agree_OneGweiOfBonusGoesToTheTreasury() external {
        Terms memory t = _panelTerms();
        (t.minPrice, t.maxPrice, t.bond) = (6e8, 6e8, 25e8);
        Work[] memory seats = _seated(t);
        seats[1].r = _result("wrong");
        _commitAll(seats);
        _agree(seats);
        assertEq(_balance(address(dpu), treasury), 125e7, "a tenth, and the bonus that nobody needs");
        assertEq(uint8(_state(seats[0].id)), uint8(JobState.Complete));
        _assertSolvent(0);
    }
}
