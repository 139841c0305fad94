// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CreditsHandler} from "test/contracts/credits/CreditsHandler.sol";
import {CreditsTest} from "test/contracts/credits/CreditsTest.sol";
import {HonestReceipts} from "test/contracts/credits/HonestReceipts.sol";

/// @dev In words: what exists is what was minted less what was burnt; work earned no more than its fees, and in no epoch more than its cap; a
/// receipt counts once; a weight moves by an eighth of itself at most and stays within its bounds; what was bought was paid for.
contract CreditsInvariantsTest is CreditsTest {
    CreditsHandler private handler;

    constructor() CreditsTest(new HonestReceipts(makeAddr("treasury"))) {}

    function setUp() public override {
        super.setUp();
        vm.prank(governor);
        credits.setPerUnit(2, 0.001e18);
        handler = new CreditsHandler(credits, market, dpu, governor);
        dpu.transfer(address(handler), 100_000_000e18);
        targetContract(address(handler));
    }

    function invariant_SupplyEqMintedLessBurnt() external view {
        assertEq(credits.totalSupply(), handler.earned() + handler.bought() - handler.burnt());
        assertEq(credits.priorityOf(handler.JOB()), handler.burnt());
        uint256 held;
        for (uint256 i; i < 3; ++i) {
            held += credits.balanceOf(handler.owners(i));
        }
        assertEq(credits.totalSupply(), held);
    }

    function invariant_EarnedLeFees() external view {
        assertLe(handler.earned(), handler.feeValue());
    }

    function invariant_EarnedInAnEpochLeItsCap() external view {
        uint256 sum;
        for (uint256 i; i <= _number(); ++i) {
            assertLe(handler.mintedIn(i), handler.capIn(i));
            sum += handler.mintedIn(i);
        }
        assertEq(sum, handler.earned());
        assertEq(_minted(), handler.mintedIn(_number()));
    }

    function invariant_BoughtIsPaidForAtTheOffer() external view {
        assertEq(dpu.balanceOf(market.treasury()), handler.paid());
        assertGe(handler.paid() * 5, handler.bought());
        assertEq(dpu.balanceOf(address(credits)), 0);
    }

    function invariant_NothingBroke() external view {
        assertEq(handler.broken(), "");
    }
}
