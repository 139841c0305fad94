// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {IMarket} from "src-contracts/interfaces/IMarket.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {MarketTest} from "test/contracts/lib/MarketTest.sol";

contract LedgerTest is MarketTest {
    address private owner;
    uint256 private key;

    function setUp() public override {
        super.setUp();
        (owner, key) = makeAddrAndKey("holder");
        dpu.transfer(owner, 100e18);
        usd.mint(owner, 100e6);
    }

    function _permit(address token, uint256 amount, uint256 deadline)
        private
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        bytes32 hash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                address(market),
                amount,
                ERC20Permit(token).nonces(owner),
                deadline
            )
        );
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", ERC20Permit(token).DOMAIN_SEPARATOR(), hash)));
    }

    function test_Deposit_CreditsAnyAccount() external {
        vm.startPrank(owner);
        usd.approve(address(market), 7e6);
        vm.expectEmit(address(market));
        emit LedgerFacts.Deposited(address(usd), stranger, owner, 7e6);
        market.deposit(address(usd), stranger, 7e6);

        assertEq(_balance(address(usd), stranger), 7e6);
        assertEq(_balance(address(usd), owner), 0);
        assertEq(usd.balanceOf(owner), 93e6);
    }

    function test_RevertWhen_Deposit_IsEmptyOrToNobodyOrOfAnotherToken() external {
        vm.expectRevert(LedgerFacts.AmountZero.selector);
        market.deposit(address(usd), owner, 0);
        vm.expectRevert(LedgerFacts.AddressZero.selector);
        market.deposit(address(usd), address(0), 1);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.CurrencyNotAllowed.selector, stranger));
        market.deposit(stranger, owner, 1);
        vm.prank(governor);
        market.allowCurrency(address(usd), false);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.CurrencyNotAllowed.selector, address(usd)));
        market.deposit(address(usd), owner, 1);
    }

    function test_DepositWithPermit_NeedsNoApproval() external {
        (uint8 v, bytes32 r, bytes32 s) = _permit(address(dpu), 5e18, _now());
        vm.prank(owner);
        market.depositWithPermit(address(dpu), 5e18, _now(), v, r, s);
        assertEq(_balance(address(dpu), owner), 5e18);
        assertEq(dpu.allowance(owner, address(market)), 0);
    }

    /// @dev The signature is public in the mempool; whoever uses it first must not stop the deposit.
    function test_DepositWithPermit_SurvivesAFrontRunner() external {
        (uint8 v, bytes32 r, bytes32 s) = _permit(address(usd), 5e6, _now());
        vm.prank(stranger);
        usd.permit(owner, address(market), 5e6, _now(), v, r, s);
        vm.prank(owner);
        market.depositWithPermit(address(usd), 5e6, _now(), v, r, s);
        assertEq(_balance(address(usd), owner), 5e6);
    }

    function test_RevertWhen_DepositWithPermit_SignatureIsWrong() external {
        (uint8 v, bytes32 r, bytes32 s) = _permit(address(usd), 5e6, _now());
        vm.expectRevert(
            abi.encodeWithSignature("ERC20InsufficientAllowance(address,uint256,uint256)", address(market), 0, 6e6)
        );
        vm.prank(owner);
        market.depositWithPermit(address(usd), 6e6, _now(), v, r, s);
    }

    function test_Permit_AndDepositInOneMulticall() external {
        (uint8 v, bytes32 r, bytes32 s) = _permit(address(usd), 5e6, _now());
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.permit, (address(usd), 5e6, _now(), v, r, s));
        calls[1] = abi.encodeCall(market.deposit, (address(usd), stranger, 5e6));
        vm.prank(owner);
        Multicall(address(market)).multicall(calls);
        assertEq(_balance(address(usd), stranger), 5e6);
    }

    function test_Withdraw_GoesWhereTheOwnerSays() external {
        uint256 before = _balance(address(dpu), requester);
        vm.expectEmit(address(market));
        emit LedgerFacts.Withdrawn(address(dpu), requester, stranger, 3e18);
        vm.prank(requester);
        market.withdraw(address(dpu), stranger, 3e18);
        assertEq(dpu.balanceOf(stranger), 3e18);
        assertEq(before - _balance(address(dpu), requester), 3e18);
    }

    function test_Withdraw_WorksWhilePausedAndOfAClosedCurrency() external {
        _pause();
        vm.prank(governor);
        market.allowCurrency(address(usd), false);
        vm.startPrank(requester);
        market.withdraw(address(usd), requester, 1_000_000e6);
        assertEq(usd.balanceOf(requester), 1_000_000e6);
    }

    function test_RevertWhen_Withdraw_TooMuchNothingOrToNobody() external {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.BalanceTooLow.selector, address(usd), owner, 0, 1));
        market.withdraw(address(usd), owner, 1);
        vm.expectRevert(LedgerFacts.AmountZero.selector);
        market.withdraw(address(usd), owner, 0);
        vm.expectRevert(LedgerFacts.AddressZero.selector);
        market.withdraw(address(usd), address(0), 1);
    }

    function test_CollectFees_MovesThemToTheTreasury() external {
        _settled(_inUsd(_direct()));
        vm.expectEmit(address(market));
        emit LedgerFacts.FeesCollected(address(usd), treasury, 0.03e6);
        vm.prank(stranger);
        market.collectFees(address(usd), _owners());
        assertEq(_balance(address(usd), treasury), 0.03e6);
        assertEq(_fees(address(usd)), 0);

        vm.expectRevert(LedgerFacts.AmountZero.selector);
        market.collectFees(address(usd), _owners());
    }

    function test_Donation_ChangesNothing() external {
        dpu.transfer(address(market), 50e18);
        vm.expectRevert(LedgerFacts.AmountZero.selector);
        market.collectFees(address(dpu), _owners());
        vm.prank(owner);
        dpu.approve(address(market), 1e18);
        vm.prank(owner);
        market.deposit(address(dpu), owner, 1e18);
        assertEq(_balance(address(dpu), owner), 1e18);
    }

    function test_Params_OfAVersion() external {
        assertEq(abi.encode(market.params(1)), abi.encode(_params()));
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.ParamsVersion.selector, 0, 1));
        market.params(0);
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.ParamsVersion.selector, 2, 1));
        market.params(2);
    }

    function test_Config_IsWhatTheConstructorSet() external view {
        (Rules rules, uint40 until, uint96 least, uint32 unbonding, uint32 nodes) = market.config();
        assertEq(Rules.unwrap(rules), Rules.unwrap(_rules(1)));
        assertEq(until, 0);
        assertEq(least, 1_000e18);
        assertEq(unbonding, 7 days);
        assertEq(nodes, 3);
    }

    function test_RevertWhen_SelectorIsUnknown() external {
        (bool ok, bytes memory answer) = address(market).call(hex"12345678");
        assertFalse(ok);
        assertEq(answer, "");
        (ok,) = address(market).call("");
        assertFalse(ok, "no receive");
        vm.deal(address(this), 1);
        (ok,) = address(market).call{value: 1}(abi.encodeCall(market.collectFees, (address(usd), _owners())));
        assertFalse(ok, "no ether");
    }

    /// @dev Called directly the extension has no currencies, no nodes' stake, no owner that exists.
    function test_Extension_CalledDirectlyCanDoNothing() external {
        vm.expectRevert(abi.encodeWithSelector(LedgerFacts.CurrencyNotAllowed.selector, address(dpu)));
        extension.deposit(address(dpu), address(this), 1);
        assertEq(Ownable(address(extension)).owner(), address(0xdead));

        uint32 id = extension.register(stranger, 2, 0, "");
        dpu.approve(address(extension), 1e18);
        vm.expectRevert(LedgerFacts.AddressZero.selector);
        extension.stake(id, 1e18);
        vm.expectRevert(LedgerFacts.AddressZero.selector);
        extension.delegateStake(stranger);
    }

    /// @dev Each of the three parts by itself.
    function test_RevertWhen_Market_APartIsForAnotherToken() external {
        bytes memory token = abi.encode(address(usd));
        address[3] memory others = [
            vm.deployCode("MarketExtension.sol:MarketExtension", token),
            vm.deployCode("MarketPanels.sol:MarketPanels", token),
            vm.deployCode("MarketCourt.sol:MarketCourt", token)
        ];
        for (uint256 i; i < 3; ++i) {
            uint256 at = vm.snapshotState();
            if (i == 0) extension = IMarket(others[0]);
            if (i == 1) panels = others[1];
            if (i == 2) court = others[2];
            vm.expectRevert(abi.encodeWithSignature("PartMismatch(address)", others[i]));
            _market(address(dpu), treasury);
            vm.revertToState(at);
        }
    }

    function test_RevertWhen_Market_TreasuryIsZero() external {
        vm.expectRevert(LedgerFacts.AddressZero.selector);
        _market(address(dpu), address(0));
    }

    function _market(address token, address treasury_) private {
        bytes memory code = bytes.concat(vm.getCode("Market.sol:Market"), _arguments(token, treasury_));
        assembly ("memory-safe") {
            if iszero(create(0, add(code, 0x20), mload(code))) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }
}
