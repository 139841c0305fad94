// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {CreditFacts} from "src-contracts/interfaces/IComputeCredits.sol";
import {CreditsTest} from "test/contracts/credits/CreditsTest.sol";
import {HonestReceipts} from "test/contracts/credits/HonestReceipts.sol";

contract CreditsUseTest is CreditsTest {
    bytes32 private constant JOB = keccak256("job");

    address private owner;
    uint256 private key;

    constructor() CreditsTest(new HonestReceipts(makeAddr("treasury"))) {}

    function setUp() public override {
        super.setUp();
        (owner, key) = makeAddrAndKey("owner");
        dpu.transfer(owner, 100e18);
        vm.startPrank(owner);
        dpu.approve(address(credits), type(uint256).max);
        credits.buy(100e18, owner, 20e18);
        vm.stopPrank();
    }

    function _sign(uint256 with, bytes32 job, uint256 amount, uint256 nonce, uint256 deadline)
        private
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        bytes32 typehash =
            keccak256("Prioritize(address owner,bytes32 job,uint256 amount,uint256 nonce,uint256 deadline)");
        bytes32 hash = keccak256(abi.encode(typehash, owner, job, amount, nonce, deadline));
        return vm.sign(with, keccak256(abi.encodePacked(hex"1901", credits.DOMAIN_SEPARATOR(), hash)));
    }

    /* PRIORITY */

    function test_Prioritize_BurnsAndAddsUp() external {
        vm.startPrank(owner);
        vm.expectEmit(address(credits));
        emit CreditFacts.JobPrioritized(JOB, owner, 3e18, 3e18);
        credits.prioritize(JOB, 3e18);
        vm.expectEmit(address(credits));
        emit CreditFacts.JobPrioritized(JOB, owner, 4e18, 7e18);
        credits.prioritize(JOB, 4e18);
        assertEq(credits.priorityOf(JOB), 7e18);
        assertEq(credits.balanceOf(owner), 93e18);
        assertEq(credits.totalSupply(), 93e18);
    }

    function test_RevertWhen_Prioritize_NothingOrTooMuch() external {
        vm.startPrank(owner);
        vm.expectRevert(CreditFacts.AmountZero.selector);
        credits.prioritize(JOB, 0);
        bytes memory tooMuch =
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, owner, 100e18, 100e18 + 1);
        vm.expectRevert(tooMuch);
        credits.prioritize(JOB, 100e18 + 1);
    }

    function test_PrioritizeWithSignature_IsForThisJobOnce() external {
        uint256 deadline = T0 + 60;
        (uint8 v, bytes32 r, bytes32 s) = _sign(key, JOB, 5e18, 0, deadline);
        vm.warp(deadline);
        vm.startPrank(stranger);
        credits.prioritizeWithSignature(owner, JOB, 5e18, deadline, v, r, s);
        assertEq(credits.priorityOf(JOB), 5e18);
        assertEq(credits.balanceOf(owner), 95e18);

        (bool ok,) = address(credits)
            .call(abi.encodeCall(credits.prioritizeWithSignature, (owner, JOB, 5e18, deadline, v, r, s)));
        assertFalse(ok, "the nonce is used");
    }

    function test_RevertWhen_PrioritizeWithSignature_IsForAnotherJob() external {
        (uint8 v, bytes32 r, bytes32 s) = _sign(key, JOB, 5e18, 0, T0);
        (bool ok, bytes memory answer) = address(credits)
            .call(abi.encodeCall(credits.prioritizeWithSignature, (owner, keccak256("other"), 5e18, T0, v, r, s)));
        assertFalse(ok);
        assertEq(bytes4(answer), CreditFacts.SignatureInvalid.selector);
    }

    function test_RevertWhen_PrioritizeWithSignature_OfAnother() external {
        (address other, uint256 otherKey) = makeAddrAndKey("other");
        (uint8 v, bytes32 r, bytes32 s) = _sign(otherKey, JOB, 5e18, 0, T0);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.SignatureInvalid.selector, other, owner));
        credits.prioritizeWithSignature(owner, JOB, 5e18, T0, v, r, s);
    }

    function test_RevertWhen_PrioritizeWithSignature_IsLate() external {
        (uint8 v, bytes32 r, bytes32 s) = _sign(key, JOB, 5e18, 0, T0);
        vm.warp(T0 + 1);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.SignatureExpired.selector, T0));
        credits.prioritizeWithSignature(owner, JOB, 5e18, T0, v, r, s);
    }

    /* OFFER */

    function test_Buy_PaysTheTreasury() external {
        vm.prank(owner);
        vm.expectEmit(address(credits));
        emit CreditFacts.CreditsBought(owner, bob, 2e18, 0.4e18);
        assertEq(credits.buy(2e18, bob, 0.4e18), 0.4e18);
        assertEq(credits.balanceOf(bob), 2e18);
        assertEq(dpu.balanceOf(market.treasury()), 20.4e18);
        assertEq(_minted(), 0, "the cap is for work");
    }

    function test_Buy_RoundsUp() external {
        vm.prank(owner);
        assertEq(credits.buy(1, owner, 1), 1);
    }

    function test_Buy_RoundsUpAlsoTheSmallestRest() external {
        vm.prank(governor);
        credits.setOffer(72_463_768_115_942_029); // times 69 it is five and the smallest part of one
        vm.prank(owner);
        assertEq(credits.buy(69, owner, 6), 6);
    }

    function test_RevertWhen_Buy_CostsMoreThanAllowedOrNothing() external {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(CreditFacts.CostTooHigh.selector, 0.4e18, 0.4e18 - 1));
        credits.buy(2e18, owner, 0.4e18 - 1);
        vm.expectRevert(CreditFacts.AmountZero.selector);
        credits.buy(0, owner, 1);
    }

    function test_RevertWhen_Buy_WithoutTheMoney() external {
        vm.prank(stranger);
        bytes memory none =
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(credits), 0, 0.2e18);
        vm.expectRevert(none);
        credits.buy(1e18, stranger, 1e18);
    }
}
